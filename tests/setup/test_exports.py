"""What `make exports` lists and copies."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.setup.project import Project, base_image, docker

pytestmark = pytest.mark.integration


@pytest.fixture
def exports(project: Project) -> Iterator[Project]:
    """Have a volume with two files, and one that is not finished."""
    name = f"etl-exports-{uuid4().hex[:8]}"
    project.variables |= {"COMPOSE_PROJECT_NAME": name, "ETL_TAG": name}
    docker("tag", base_image(), f"etl-platform/load:{name}")
    docker("volume", "create", f"{name}_exports")
    script = (
        "mkdir orders && printf 'n\n1\n' >orders/today.csv && printf x >orders/.today.csv.1.part && printf 2 >b.json"
    )
    docker("run", "--rm", "-v", f"{name}_exports:/to", "-w", "/to", "--entrypoint", "sh", base_image(), "-c", script)
    yield project
    docker("volume", "rm", f"{name}_exports")
    docker("image", "rm", f"etl-platform/load:{name}")


def test_exports_are_listed(exports: Project) -> None:
    """Each with its time and size; what is not finished is not there yet."""
    listed = [line.split()[2:] for line in exports.run("setup/exports.sh").stdout.splitlines()]

    assert listed == [["1", "b.json"], ["4", "orders/today.csv"]]


def test_an_export_is_copied(exports: Project) -> None:
    """Into the current folder, under its own path."""
    done = exports.run("setup/exports.sh", "orders/today.csv")

    assert done.returncode == 0, done.stderr
    assert (exports.folder / "orders" / "today.csv").read_text() == "n\n1\n"


def test_an_export_that_is_not_there_is_told(exports: Project) -> None:
    """With where it was looked for, and how to see what is there."""
    done = exports.run("setup/exports.sh", "orders/tomorrow.csv")

    assert done.returncode == 2
    assert "there is no export 'orders/tomorrow.csv'" in done.stderr
    assert "make exports, which lists them" in done.stderr


def test_an_installation_without_exports_says_so(project: Project) -> None:
    """Nothing is made by looking."""
    done = project.run("setup/exports.sh", COMPOSE_PROJECT_NAME=f"etl-{uuid4().hex[:8]}")

    assert done.returncode == 2
    assert "there are no exports yet" in done.stderr
