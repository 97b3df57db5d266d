"""Offers one warehouse to all tests of this folder, empty for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.cases import CASES, Case
from tests.load.exporting import Exporting
from tests.load.warehouse import Loading, Warehouse, running_warehouse


@pytest.fixture(scope="session")
def server() -> Iterator[Warehouse]:
    """Start the warehouse once."""
    with running_warehouse() as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(server: Warehouse) -> Warehouse:
    """Give the warehouse, with nothing loaded."""
    server.clear()
    return server


@pytest.fixture
def loading(warehouse: Warehouse, tmp_path: Path) -> Loading:
    """Load into the warehouse."""
    return Loading(warehouse, tmp_path)


@pytest.fixture
def exporting(tmp_path: Path) -> Exporting:
    """Export into a folder in the place of the volume."""
    return Exporting(tmp_path)


@pytest.fixture(params=CASES, ids=lambda case: case.mode)
def case(request: pytest.FixtureRequest) -> Case:
    """Give each mode in turn."""
    return request.param
