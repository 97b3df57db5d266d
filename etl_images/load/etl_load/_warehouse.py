"""Connects to the warehouse: one psycopg connection, which SQLAlchemy and COPY share."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import sqlalchemy as sa
from psycopg import sql

from etl_contract import LoadTask, Unavailable
from etl_load._faults import explaining

URI_FILE = Path("/run/secrets/warehouse/uri")

# Locks are waited for as long as another load of the table may take; the server drops us soon after we died, so that
# a retry does not wait for a dead try.
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO,YMD",
    "lock_timeout": "10min",
    "statement_timeout": "2h",
    "idle_in_transaction_session_timeout": "10min",
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "work_mem": "64MB",
}


def warehouse_uri(file: Path = URI_FILE) -> str:
    """Read the warehouse's address, with the password, from its secret."""
    try:
        return file.read_text().strip()
    except OSError as error:
        hint = "The secrets volume's stages/load belongs there; see the service 'secrets'."
        raise Unavailable(f"the secret cannot be read: {error.strerror}", where=str(file), hint=hint) from error


@contextmanager
def warehouse(uri: str, task: LoadTask) -> Iterator[sa.Connection]:
    """Open the connection of a load."""
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    name = f"etl load {task.pipeline} {task.run_id}"

    def connect() -> psycopg.Connection:
        return psycopg.connect(
            uri,
            application_name=name,
            client_encoding="utf8",
            options=options,
            connect_timeout=10,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=60_000,  # milliseconds: a line that swallows everything is no line
        )

    engine = sa.create_engine("postgresql+psycopg://", creator=connect, poolclass=sa.NullPool, use_native_hstore=False)
    with explaining(f"warehouse {address(uri)}"), engine.connect() as connection:
        yield connection


def driver(connection: sa.Connection) -> psycopg.Connection:
    """Give the psycopg connection inside; it takes part in SQLAlchemy's transaction."""
    inside = connection.connection.driver_connection
    assert isinstance(inside, psycopg.Connection)  # noqa: S101 - tells the type checker
    return inside


def run(connection: sa.Connection, words: LiteralString, *parts: sql.Composable) -> None:
    """Run a statement that is put together of parts, in SQLAlchemy's transaction."""
    driver(connection).execute(sql.SQL(words).format(*parts))


def address(uri: str) -> str:
    """Write an address without its password."""
    return re.sub(r"^\w+://(?:[^@/]*@)?", "", uri)


def lock_key(subject: str) -> int:
    """Give a subject's number for advisory locks, the same everywhere and always."""
    return int.from_bytes(hashlib.sha256(f"etl load {subject}".encode()).digest()[:8], signed=True)
