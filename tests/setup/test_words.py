"""How the scripts talk where no terminal is, as in continuous integration."""

import re
import time

import yaml

from tests.setup.project import ROOT, Project

BUILD = """#1 [load 1/4] FROM python:3.13
#2 [load 2/4] RUN apt-get update
#2 CACHED
#3 [load 3/4] RUN uv sync
#3 0.1 Resolved
#4 [extract 2/3] COPY etl_extract
#4 DONE 0.1s
#3 [load 3/4] RUN uv sync
#3 2.0 Installed
#3 DONE 2.1s
!no line of a step [1/2]
"""


def test_a_build_shows_what_it_really_does(project: Project) -> None:
    """Each step is said once, as it begins; what was there already is not."""
    done = project.run("bash", "-euc", ". setup/words.sh; . setup/docker.sh; say_steps", stdin=BUILD)

    assert done.stdout == "   [load 3/4] RUN uv sync\n   [extract 2/3] COPY etl_extract\n"


def test_a_build_without_changes_says_so(project: Project) -> None:
    """Silence would look like a fault."""
    done = project.run(
        "bash", "-euc", ". setup/words.sh; . setup/docker.sh; say_steps", stdin="#2 [a 2/4] RUN x\n#2 CACHED\n"
    )

    assert done.stdout == "   nothing changed\n"


def test_waiting_ends_with_the_command(project: Project) -> None:
    """The line that says "still ..." goes with its command, also while signals are ignored, and hides no failure."""
    started = time.monotonic()

    done = project.run(
        "bash", "-euc", ". setup/words.sh; trap '' INT TERM; patiently resting sh -c 'echo done; exit 7'"
    )

    assert (done.stdout, done.returncode) == ("done\n", 7)
    assert time.monotonic() - started < 10


def test_a_failing_command_shows_its_last_words(project: Project) -> None:
    """What was kept in a log is seen when it matters."""
    done = project.run("bash", "-euc", ". setup/words.sh; logged log sh -c 'echo cause; exit 3'")

    assert done.returncode == 1
    assert "     cause\n" in done.stderr


def test_every_target_is_explained() -> None:
    """`make help` says one line about each target, and about no other."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"(?m)^\.PHONY: (.*)$", makefile)
    explained = re.findall(r"(?m)^([a-z-]+):.*## \S", makefile)

    assert phony
    assert set(explained) == set(phony[1].split()) - {"ps"}


def test_pre_commit_runs_the_checks_of_make_lint() -> None:
    """A commit meets neither more nor fewer checks than continuous integration."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    checks = re.search(r'readonly checks="(.*)"', (ROOT / "setup/lint.sh").read_text())

    assert checks
    assert [hook["entry"] for hook in hooks] == [f"setup/tools.sh setup/lint.sh {name}" for name in checks[1].split()]
