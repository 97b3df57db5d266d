"""Base images are pulled where a registry answers, and stood in for where none does."""

import pytest

from tests.setup.project import Project

OFFICIAL = "python:3.13.15-slim-trixie@sha256:"
STANDIN = "etl-upstream/python:3.13-trixie"


@pytest.fixture
def machine(project: Project) -> Project:
    """Give a project whose docker and stand-ins only note what is asked of them."""
    project.fake("setup/standin.sh", 'echo "standin $1" >>asked')
    return project


def docker(project: Project, *, here: bool, answers: bool) -> None:
    """Have a docker that has all images, or a registry that answers, or neither."""
    refusal = "echo 'Error response from daemon: dial tcp: lookup registry-1.docker.io: no such host'; exit 1"
    project.fake(
        "bin/docker",
        f'[ "$1" = image ] && exit {0 if here else 1}\necho "$1 $2" >>asked\n'
        + ("echo 'latest: Pulling from library/python'" if answers else refusal),
    )


def asked(project: Project) -> list[str]:
    """Give what was asked of docker and of stand-ins, and forget it."""
    file = project.folder / "asked"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_images_that_are_here_are_used(machine: Project) -> None:
    """Nothing is pulled or built twice."""
    docker(machine, here=True, answers=True)

    done = machine.run("setup/bases.sh")

    assert done.returncode == 0, done.stderr
    assert asked(machine) == []


def test_official_images_are_pulled_and_not_recorded(machine: Project) -> None:
    """A later digest in the repository is not held back by an old .env."""
    docker(machine, here=False, answers=True)

    done = machine.run("setup/bases.sh")

    assert done.returncode == 0, done.stderr
    assert all(line.startswith("pull ") and "@sha256:" in line for line in asked(machine))
    assert "PYTHON_IMAGE" not in machine.recorded()


def test_without_a_registry_stand_ins_are_built_and_recorded(machine: Project) -> None:
    """The silence is met once; the next start asks no registry."""
    docker(machine, here=False, answers=False)
    (machine.folder / ".env").write_text("AIRFLOW_PORT=9090\n")

    first = machine.run("setup/bases.sh")
    asked_first = asked(machine)
    machine.run("setup/bases.sh")

    assert first.returncode == 0, first.stderr
    assert "not pulled: Error response from daemon: dial tcp: lookup registry-1.docker.io: no such host" in first.stdout
    assert [line.split()[0] for line in asked_first] == ["pull", "standin", "standin"]
    assert machine.recorded()["PYTHON_IMAGE"] == STANDIN
    assert machine.recorded()["AIRFLOW_PORT"] == "9090"
    assert not any(line.startswith("pull") for line in asked(machine))


def test_an_image_of_ones_own_is_never_replaced(machine: Project) -> None:
    """Who names a base image gets that one, or hears why not."""
    docker(machine, here=False, answers=False)
    (machine.folder / ".env").write_text("PYTHON_IMAGE=registry.example/python:3.13\n")

    done = machine.run("setup/bases.sh")

    assert done.returncode == 2
    assert "image registry.example/python:3.13 is not here and cannot be pulled" in done.stderr
    assert machine.recorded() == {"PYTHON_IMAGE": "registry.example/python:3.13"}
