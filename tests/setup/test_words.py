"""How the scripts talk where no terminal is, as in continuous integration."""

import re
import time

import pytest
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


def test_waiting_ends_with_the_script(project: Project) -> None:
    """Also where it is killed at once: nothing goes on to say "still ..." to whoever listens."""
    project.fake("bin/sleep", "exec /usr/bin/env -S PATH=/usr/bin:/bin sleep 0.2")

    killed = """. setup/words.sh; patiently resting sh -c 'kill -KILL $PPID'"""
    done = project.run("bash", "-c", 'bash -euc "$1"; echo "ended with $?"', "caller", killed)

    assert done.stdout.replace("   still resting (30 s)\n", "") == "ended with 137\n"


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


@pytest.mark.parametrize(
    "script",
    [
        *("alert-test", "bases", "check", "destroy", "down", "engine", "lineage", "lint", "password", "pipeline-test"),
        *("preflight", "prepare", "replay", "run", "scan", "standin", "try", "up", "usage"),
    ],
)
def test_a_script_explains_itself(project: Project, script: str) -> None:
    """Every script answers --help, and refuses an option that it does not know by 2: 1 is of what was found wrong."""
    helped = project.run(f"setup/{script}.sh", "--help")
    refused = project.run(f"setup/{script}.sh", "--colour")

    assert f"setup/{script}.sh" in helped.stdout
    assert (helped.returncode, refused.returncode) == (0, 2)
    assert refused.stderr.startswith("\nerror: ")
    assert "--colour" in refused.stderr


@pytest.mark.parametrize("script", ["check", "pipeline-test", "try", "new"])
def test_a_folder_that_is_not_there_is_no_problem_of_a_pipeline(project: Project, script: str) -> None:
    """Who misspelt ETL_PIPELINES does not hear that a pipeline is wrong."""
    project.fake("bin/docker", "exit 0")

    done = project.run(f"setup/{script}.sh", "orders", ETL_PIPELINES="nowhere")

    assert done.returncode == 2
    assert "error: there is no folder 'nowhere'\n  where: ETL_PIPELINES" in done.stderr


def test_lint_that_finds_something_is_no_misuse(project: Project) -> None:
    """Its exit code is 1, as of every check."""
    project.fake("bin/yamllint", "exit 1")

    done = project.run("setup/lint.sh", "yamllint")

    assert done.returncode == 1
    assert "error: these checks found something: yamllint\n  where: above" in done.stderr
