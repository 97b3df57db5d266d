"""Reads what the warehouse remembers of a source: which files it has taken, which version a server named."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from etl_contract import Unavailable
from etl_extract._connection import connection_uri


class Taken(NamedTuple):
    """A file that was loaded: its address, size and checksum, and when."""

    uri: str
    bytes: int
    sha256: str
    taken_at: datetime


def watermarks(pipeline: str, source: str, connections: Path) -> dict[str, str]:
    """Give what a source remembers, by field."""
    with _warehouse(connections) as connection:
        found = connection.execute(
            "select field, value from etl.watermarks where pipeline = %s and source = %s", (pipeline, source)
        )
        return dict(found.fetchall())


def taken_files(pipeline: str, source: str, connections: Path) -> list[Taken]:
    """Give the files that a source has taken."""
    with _warehouse(connections) as connection:
        found = connection.execute(
            "select uri, bytes, sha256, taken_at from etl.files where pipeline = %s and source = %s", (pipeline, source)
        )
        return [Taken(*row) for row in found.fetchall()]


@contextmanager
def _warehouse(connections: Path) -> Iterator[psycopg.Connection]:
    uri = connection_uri("warehouse", "warehouse", connections)
    try:
        with psycopg.connect(uri, application_name="etl extract", connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        message = str(error).strip().partition("\n")[0]
        raise Unavailable(message, where="warehouse", hint="It is tried again; is the server up?") from error
