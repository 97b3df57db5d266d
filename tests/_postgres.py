"""Starts a plain PostgreSQL in a container, on a network of its own."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests._engine import address, docker, network

IMAGE = os.environ.get("POSTGRES_IMAGE", "etl-upstream/postgres:17-trixie")


@contextmanager
def running_postgres(name: str) -> Iterator[str]:
    """Give the address of an empty database, as its superuser; container and network bear the name."""
    password = secrets.token_hex(16)
    with network(name):
        docker("run", "--detach", "--name", name, "--network", name, "--env", f"POSTGRES_PASSWORD={password}", IMAGE)
        uri = f"postgresql://postgres:{password}@{address(name, name)}:5432/postgres"
        _wait_for_login(uri)
        yield uri


def _wait_for_login(uri: str, seconds: float = 60) -> None:
    """Wait until the server, which listens before it is ready, lets somebody in."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(uri, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
