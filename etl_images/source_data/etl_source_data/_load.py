"""Loads the files into PostgreSQL in one transaction, unless they are there."""

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from etl_source_data._files import FILES, File

SCRIPTS = ("tables.sql", "keys.sql", "views.sql")
LOCK = 20130101


@dataclass
class Loaded:
    """Tells how many rows each table has, and whether they were loaded now."""

    now: bool
    rows: dict[str, int] = field(default_factory=dict)


def fill(connection: psycopg.Connection, folder: Path) -> Loaded:
    """Load the files of a folder; where the same files and scripts were loaded before, only count."""
    wanted = fingerprint(folder)
    with connection.transaction():
        # A second start at the same time waits here, and then finds everything.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        rows = _rows_of(connection, wanted)
        if rows is not None:
            return Loaded(now=False, rows=rows)
        connection.execute("DROP SCHEMA IF EXISTS history CASCADE")
        connection.execute("DROP TABLE IF EXISTS public.airlines, public.planes, public.airports")
        connection.execute(_script("tables.sql"))
        rows = {file.table: _copy(connection, file, folder) for file in FILES}
        connection.execute(_script("keys.sql"))
        connection.execute(_script("views.sql"))
        connection.execute("CREATE TABLE history.loaded (fingerprint text, rows jsonb, loaded_at timestamptz)")
        connection.execute("COMMENT ON TABLE history.loaded IS 'What was loaded, so that it is not loaded again'")
        connection.execute("INSERT INTO history.loaded VALUES (%s, %s, now())", [wanted, Jsonb(rows)])
    return Loaded(now=True, rows=rows)


def fingerprint(folder: Path) -> str:
    """Return a checksum of all that decides what the database has in the end: files and scripts."""
    digest = hashlib.sha256()
    for file in FILES:
        digest.update((folder / file.name).read_bytes())
    for name in SCRIPTS:
        digest.update(_script(name).encode("utf-8"))
    return digest.hexdigest()


def _rows_of(connection: psycopg.Connection, wanted: str) -> dict[str, int] | None:
    """Return the rows of each table, or None where something else, or nothing, or not all was loaded."""
    if not all(_exists(connection, name) for name in ("history.loaded", "public.flights", "public.weather")):
        return None
    loaded = connection.execute("SELECT rows FROM history.loaded WHERE fingerprint = %s", [wanted]).fetchone()
    if loaded is None or loaded[0] != {file.table: _count(connection, file.table) for file in FILES}:
        return None
    return {file.table: loaded[0][file.table] for file in FILES}


def _count(connection: psycopg.Connection, table: str) -> int | None:
    """Return the number of rows of a table, or None where there is no such table."""
    if not _exists(connection, table):
        return None
    found = connection.execute(SQL("SELECT count(*) FROM {}").format(Identifier(*table.split(".")))).fetchone()
    return None if found is None else int(found[0])


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)


def _copy(connection: psycopg.Connection, file: File, folder: Path) -> int:
    # MATCH: another order of columns stops the load. FREEZE: readers need not visit each row again to set its state.
    statement = SQL("COPY {} FROM STDIN (FORMAT csv, HEADER match, NULL 'NA', FREEZE)")
    with connection.cursor() as cursor:
        with cursor.copy(statement.format(Identifier(*file.table.split(".")))) as copy:
            for piece in file.pieces(folder):
                copy.write(piece)
        return cursor.rowcount


def _script(name: str) -> LiteralString:
    text: LiteralString = files("etl_source_data").joinpath("sql", name).read_text("utf-8")
    return text
