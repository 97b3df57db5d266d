"""Offers a real PostgreSQL as a source system."""

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests._engine import address, docker, network, wait_for_port

IMAGE = os.environ.get("POSTGRES_IMAGE", "etl-upstream/postgres:17-trixie")
NETWORK = CONTAINER = "etl-extracttest"


@pytest.fixture(scope="session")
def uri() -> Iterator[str]:
    """Give the address of a database that is empty at first."""
    password = secrets.token_hex(16)
    with network(NETWORK):
        docker(
            "run",
            "--detach",
            "--name",
            CONTAINER,
            "--network",
            NETWORK,
            "--env",
            f"POSTGRES_PASSWORD={password}",
            IMAGE,
        )
        host = address(CONTAINER, NETWORK)
        wait_for_port(host, 5432)
        uri = f"postgresql://postgres:{password}@{host}:5432/postgres"
        _wait_for_login(uri)
        yield uri


def _wait_for_login(uri: str, seconds: float = 60) -> None:
    """Wait until the server, which listens before it is ready, lets somebody in."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(uri).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


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
