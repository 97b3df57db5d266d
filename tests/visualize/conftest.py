"""Offers a real PostgreSQL as the warehouse."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests._engine import OURS
from tests._postgres import running_postgres

WAREHOUSE = (Path(__file__).parents[2] / "config" / "postgres" / "warehouse.sql").read_text()
SERVER = f"{OURS}-visualize"  # its container, and the network that it is on


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of a database as its superuser; it has a role `report` that may read the schema `mart`."""
    with running_postgres(SERVER) as uri:
        with psycopg.connect(uri, autocommit=True) as admin:
            admin.execute("create role report login password 'a-secret'")
            admin.execute("alter default privileges grant usage on schemas to report")
            admin.execute("alter default privileges grant select on tables to report")
        yield uri


@pytest.fixture
def admin(server: str) -> Iterator[psycopg.Connection]:
    """Give a connection to prepare tables with; the schema `mart` and the books are empty for each test."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop schema if exists mart, quarantine, etl cascade")
        connection.execute("create schema mart; create schema quarantine; create schema etl")
        for book in ("quarantine.rows", "etl.stage_runs"):
            (create,) = re.findall(rf"CREATE TABLE IF NOT EXISTS {book} \(.*?\n\);", WAREHOUSE, re.DOTALL)
            connection.execute(create)
        yield connection


@pytest.fixture
def report_uri(server: str) -> str:
    """Give the address of the database as the role that only reads."""
    host = server.rpartition("@")[2]
    return f"postgresql://report:a-secret@{host}"


@pytest.fixture
def uri_file(report_uri: str, tmp_path: Path) -> Path:
    """Give the secret as the stage sees it."""
    file = tmp_path / "uri"
    file.write_text(report_uri)
    return file
