"""README.md: short, with a result early, and true."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DECISIONS, PAGES, README, ROOT, commands, make_targets, without_code

LINES = README.read_text().splitlines()
PROGRAMS = {"cd", "curl", "docker", "echo", "git", "id", "rm", "ssh"}


def test_it_is_short() -> None:
    """A reader gets through it in a few minutes."""
    assert len(LINES) < 150


def test_the_first_result_stands_by_line_40() -> None:
    """One sentence, one picture, the command and what it says: in that order, without scrolling."""
    picture, command = LINES.index("```text"), LINES.index("$ make up")
    result = next(number for number, line in enumerate(LINES) if "Report " in line and "http://" in line)

    assert picture < command < result < 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_there(page: Path) -> None:
    """A command of a page is a target of make, a script of the repository, or a program that everybody knows."""
    wrong = []
    for line in commands(page):
        words = re.sub(r"^\w+=\$\(.*", "", line).split()
        match words:
            case []:
                continue
            case ["make", target, *_] if target in make_targets():
                continue
            case [program, *_] if program in PROGRAMS or program.startswith(("-", '"', "printf")):
                continue
            case [script, *_] if (ROOT / script).is_file():
                continue
        wrong.append(line)

    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_in_the_text_is_there(page: Path) -> None:
    """What stands as `make ...` in a sentence works."""
    named = set(re.findall(r"`make ([a-z-]+)", without_code(page)))

    assert named - make_targets() == set()


def test_a_session_in_french_has_a_source_that_is_there() -> None:
    """Its shop and its pipeline are those of the guide, whose commands are run by a test."""
    guide, session = (set(commands(page)) for page in (ROOT / "docs" / "first-pipeline.md", ROOT / "README.fr.md"))

    started = {command for command in session if command.startswith(("docker run", "make new"))}
    assert len(started) == 2
    assert started <= guide


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_is_told_in_three_parts(page: Path) -> None:
    """Context, decision, consequences, on half a page."""
    text = page.read_text()

    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) < 400
