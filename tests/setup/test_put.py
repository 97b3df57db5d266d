"""How people put files into the inbox."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._engine import docker, image
from tests.setup.project import Project

pytestmark = pytest.mark.integration


@pytest.fixture
def inbox(project: Project) -> Iterator[str]:
    """Have an inbox as the service `secrets` leaves it; give its name."""
    name = f"put-{uuid.uuid4().hex[:8]}"
    project.variables.update(COMPOSE_PROJECT_NAME=name, ETL_TAG=os.environ.get("ETL_TAG", "local"))
    volume = f"{name}_inbox"
    docker("volume", "create", volume)
    try:
        docker("run", "--rm", "--user", "0", "--volume", f"{volume}:/inbox", "--entrypoint", "chown", image("extract"),
               "10001:10001", "/inbox")  # fmt: skip
        yield volume
    finally:
        docker("volume", "rm", volume)


def _found(volume: str) -> list[str]:
    said = docker("run", "--rm", "--volume", f"{volume}:/inbox", "--entrypoint", "sh", image("extract"), "-c",
                  "cd /inbox && find . -type f -exec grep -H '' {} +")  # fmt: skip
    return sorted(said.splitlines())


def test_a_file_arrives_whole_under_its_name(project: Project, inbox: str, tmp_path: Path) -> None:
    """Folders are made, a name with spaces is a name, and nothing half is left."""
    file = tmp_path / "my orders.csv"
    file.write_text("id\n1\n")

    first = project.run("setup/put.sh", str(file))
    second = project.run("setup/put.sh", str(file), "orders/2026/$(id).csv")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert _found(inbox) == [
        "./my orders.csv:1", "./my orders.csv:id", "./orders/2026/$(id).csv:1", "./orders/2026/$(id).csv:id",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "no file is named"),
        (["nothing.csv"], "there is no file 'nothing.csv'"),
        (["Makefile", "../outside"], "'../outside' is no place in the inbox"),
        (["Makefile", "/etc/passwd"], "'/etc/passwd' is no place in the inbox"),
    ],
)
def test_what_cannot_be_put_is_told(project: Project, inbox: str, words: list[str], problem: str) -> None:
    """Nothing is written where a name leads out of the inbox."""
    (project.folder / "Makefile").touch()
    done = project.run("setup/put.sh", *words)

    assert done.returncode != 0
    assert problem in done.stderr
    assert _found(inbox) == []
