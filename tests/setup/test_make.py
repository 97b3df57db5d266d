"""What `make` hands to the scripts: what somebody wrote, as it was written."""

import re
import shutil

import pytest

from tests.setup.project import ROOT, Project

WICKED = """it's "$limit" $(id); id & `id` # \\ *"""
LISTS = {"ARGS", "JOBS"}


@pytest.fixture
def desk(project: Project) -> Project:
    """Have the Makefile, and scripts that print their words, one a line."""
    shutil.copy(ROOT / "Makefile", project.folder)
    for script in (project.folder / "setup").glob("*.sh"):
        project.fake(f"setup/{script.name}", 'for word; do printf "<%s>\\n" "$word"; done')
    project.fake("bin/docker", 'for word; do printf "<%s>\\n" "$word"; done')
    return project


def _words(desk: Project, *words: str, **variables: str) -> list[str]:
    done = desk.run("make", *words, **variables)
    assert done.returncode == 0, done.stderr
    return re.findall(r"(?m)^<(.*)>$", done.stdout)


@pytest.mark.parametrize(
    ("target", "names", "words"),
    [
        ("new", ["PIPELINE", "FROM"], [WICKED, "--from", WICKED]),
        ("run", ["PIPELINE", "DATE"], [WICKED, WICKED]),
        ("replay", ["PIPELINE"], [WICKED]),
        ("put", ["FILE", "AS"], [WICKED, WICKED]),
        ("logs", ["SERVICE"], ["compose", "logs", "--tail", "100", WICKED]),
        ("usage", ["PIPELINE"], [WICKED]),
        ("exports", ["FILE"], [WICKED]),
        ("psql", ["ROLE", "DB"],
         ["compose", "exec", "-T", "--user", "postgres", "postgres", "psql", "--username", WICKED, WICKED]),
        ("rotate", ["SECRET"], [WICKED]),
        ("secret", ["NAME", "FILE"], [WICKED, WICKED]),
        ("connection", ["NAME", "FIELD", "FILE"], [WICKED, WICKED, WICKED]),
        ("check", ["PIPELINE"], [WICKED]),
        ("try", ["PIPELINE", "DAY"], [WICKED, "--day", WICKED]),
        ("pipeline-test", ["PIPELINE"], [WICKED]),
        ("alert-test", ["CHANNEL"], [WICKED]),
        ("lineage", ["PIPELINE"], [WICKED]),
    ],
)  # fmt: skip
def test_a_variable_arrives_as_one_word(desk: Project, target: str, names: list[str], words: list[str]) -> None:
    """Whatever stands in it: neither make nor the shell takes a part of it for its own."""
    assert _words(desk, target, *(f"{name}={WICKED}" for name in names)) == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["new", "PIPELINE=orders", "FROM=https://data.example.org/r.csv?$limit=50"],
         ["orders", "--from", "https://data.example.org/r.csv?$limit=50"]),
        (["run"], ["flights"]),
        (["check", "PIPELINE="], []),
        (["try", "ARGS=--rows 100"], ["flights", "--rows", "100"]),
        (["put"], [""]),
        (["connection"], ["", "", ""]),
        (["bench", "JOBS=extract append", "ARGS=--rounds 3"], ["--only", "extract", "append", "--rounds", "3"]),
    ],
)  # fmt: skip
def test_what_is_not_given_is_left_out_and_lists_are_words(desk: Project, command: list[str], words: list[str]) -> None:
    """ARGS and JOBS are several words on purpose."""
    assert _words(desk, *command) == words


def test_a_pipeline_or_a_name_of_the_environment_is_not_meant(desk: Project) -> None:
    """Only what the command line says chooses one of all."""
    assert _words(desk, "check", PIPELINE="orders") == []
    assert _words(desk, "connection", NAME="laptop") == ["", "", ""]


def test_every_variable_of_the_makefile_is_quoted() -> None:
    """A target of tomorrow is held to it, too."""
    makefile = (ROOT / "Makefile").read_text()
    variables = set(re.findall(r"(?m)^([A-Z]+) \?=", makefile)) | {"NAME"}
    recipes = "\n".join(line for line in makefile.splitlines() if line.startswith("\t"))

    assert set(re.findall(r"\$\((?:if \$\()?([A-Z]+)\b", recipes)) & variables == LISTS
