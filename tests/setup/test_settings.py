"""What the scripts read from .env and write into it."""

import json
import re
from pathlib import Path

import pytest

from tests.setup.project import ROOT, Project

READ = ". setup/words.sh; . setup/settings.sh; setting NAME default"


def write(project: Project, text: str) -> None:
    """Write .env."""
    (project.folder / ".env").write_text(text)


@pytest.mark.parametrize(
    "line",
    [
        "NAME=plain",
        "NAME='single quoted'",
        'NAME="double # quoted"',
        "NAME=before # a comment",
        "NAME=a=b",
        "NAME=1\nNAME=2",
        "NAME=",
        "",
    ],
)
def test_a_script_reads_what_compose_reads(project: Project, line: str) -> None:
    """A line of .env means the same to our scripts and to Docker Compose."""
    write(project, f"OTHER=x\n{line}\n")
    (project.folder / "docker-compose.yml").write_text(
        "services: {a: {image: x, environment: {NAME: '${NAME:-default}'}}}"
    )

    ours = project.run("bash", "-c", READ)
    compose = json.loads(project.run("docker", "compose", "config", "--format", "json").stdout)

    assert ours.stdout.rstrip("\n") == compose["services"]["a"]["environment"]["NAME"]


def test_the_environment_wins_over_the_file(project: Project) -> None:
    """`AIRFLOW_PORT=9090 make up` needs no edit of .env."""
    write(project, "NAME=file\n")

    assert project.run("bash", "-c", READ, NAME="environment").stdout == "environment\n"


def test_recording_keeps_every_other_line(project: Project) -> None:
    """What a person wrote into .env stays: values, comments, order."""
    write(project, "# mine\nAIRFLOW_PORT=9090\nNAME=old\n#NAME=commented\nLAST=1\n")

    project.run("bash", "-c", ". setup/words.sh; . setup/settings.sh; record NAME new; record ANOTHER x:y/z")

    text = (project.folder / ".env").read_text()
    assert text == "# mine\nAIRFLOW_PORT=9090\nNAME=new\n#NAME=commented\nLAST=1\nANOTHER=x:y/z\n"


def test_every_variable_of_compose_is_described() -> None:
    """A variable that docker-compose.yml reads stands in .env.example, and no other does."""
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    described = set(re.findall(r"(?m)^#?([A-Z_]+)=", (ROOT / ".env.example").read_text()))

    assert described == compose


def test_the_official_images_are_named_once(project: Project) -> None:
    """docker-compose.yml alone takes the same official images as `make up`, by the same digest."""
    table = (project.folder / "etl_images/upstream/images").read_text().splitlines()
    images = [line.split() for line in table if line and not line.startswith("#")]
    compose = Path(ROOT / "docker-compose.yml").read_text()

    for variable, official, standin in images:
        assert f"${{{variable}:-{official}}}" in compose
        assert f"${{{variable}:-" not in compose.replace(f"${{{variable}:-{official}}}", "")
        assert standin.startswith("etl-upstream/")
