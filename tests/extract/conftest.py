"""Offers a real PostgreSQL as a source system."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests._engine import OURS
from tests._postgres import running_postgres


@pytest.fixture(scope="session")
def uri() -> Iterator[str]:
    """Give the address of a database that is empty at first."""
    with running_postgres(f"{OURS}-extract") as uri:
        yield uri


@pytest.fixture
def source(uri: str) -> Iterator[psycopg.Connection]:
    """Give a connection to prepare tables with, which are gone after the test."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("drop schema public cascade; create schema public")
        yield connection


@pytest.fixture
def connections(uri: str, tmp_path: Path) -> Path:
    """Give the folder of secrets as a stage sees it, with the connection `source`."""
    folder = tmp_path / "connections"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "uri").write_text(uri)
    return folder
