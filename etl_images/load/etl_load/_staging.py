"""Copies a dataset into its staging table, in constant memory, and clears up what dead loads left."""

import re
import time
from collections.abc import Iterator
from typing import NoReturn

import psycopg
import pyarrow as pa
import sqlalchemy as sa
import structlog
from psycopg import sql

from etl_contract import DataError, Unavailable
from etl_load import _cells
from etl_load._faults import explained, explaining
from etl_load._job import STAGING, Job
from etl_load._progress import telling
from etl_load._warehouse import driver, lock_key

# So few rows at once keep encoding and the server's work close together, and memory small.
_BATCH_ROWS = 8_192
_BATCH_BYTES = 4 * 1024 * 1024
_MOST_OF_A_VALUE = 80

log = structlog.get_logger()


def claim(connection: sa.Connection, job: Job) -> None:
    """Wait until no other try of this run is loading the dataset; the claim ends with the connection."""
    key = lock_key(job.staging.fullname)
    with explaining(job.where), telling(f"waiting for another try that stages {job.dataset.name}"):
        connection.execute(sa.select(sa.func.pg_advisory_lock(key)))
        connection.commit()


def stage(connection: sa.Connection, job: Job) -> int:
    """Make the staging table anew and copy the dataset into it; give the bytes that went over.

    Raises:
        DataError: a value is none that PostgreSQL can store; says which, and where.
    """
    started = time.monotonic()
    sent = {"rows": 0, "bytes": 0}
    with explaining(job.where), connection.begin(), telling(f"staging {job.dataset.name}", sent):
        unstage(connection, job)
        job.staging.create(connection, checkfirst=False)
        statement = sql.SQL("copy {} from stdin (format binary)").format(sql.Identifier(STAGING, job.staging.name))
        try:
            with driver(connection).cursor().copy(statement) as copy:
                copy.write(_cells.SIGNATURE)
                for batch in _batches(job):
                    data = _encoded(batch, job, sent["rows"])
                    copy.write(memoryview(data))
                    sent["rows"] += batch.num_rows
                    sent["bytes"] += data.size
                copy.write(_cells.TRAILER)
        except psycopg.Error as error:
            _explain_row(error, job)
    if sent["rows"] != job.dataset.rows:
        hint = "Clear the stage that writes it, and those after it."
        raise DataError(f"{sent['rows']} rows where {job.dataset.rows} were announced", where=job.where, hint=hint)
    log.info("staged %s", job.dataset.name, **sent, seconds=round(time.monotonic() - started, 2))
    return sent["bytes"]


def unstage(connection: sa.Connection, job: Job) -> None:
    """Drop the staging table, if it is there."""
    connection.execute(sa.schema.DropTable(job.staging, if_exists=True))


def sweep(connection: sa.Connection) -> None:
    """Drop the staging tables of loads that died and never came again: nobody holds their claim."""
    ours = "select tablename from pg_tables where schemaname = :schema and tableowner = current_user"
    with explaining("schema staging"), connection.begin():
        names = connection.execute(sa.text(ours), {"schema": STAGING}).scalars().all()
    for name in names:
        if re.search(r"_[0-9a-f]{16}$", name):
            _sweep(connection, sa.Table(name, sa.MetaData(), schema=STAGING))


def _sweep(connection: sa.Connection, table: sa.Table) -> None:
    free = sa.select(sa.func.pg_try_advisory_xact_lock(lock_key(table.fullname)))
    try:
        with explaining("schema staging"), connection.begin():
            if connection.execute(free).scalar_one():
                connection.execute(sa.text("set local lock_timeout = '1s'"))
                connection.execute(sa.schema.DropTable(table, if_exists=True))
                log.info("dropped %s, left by a load that died", table.fullname)
    except Unavailable:
        log.warning(
            "%s is left by a load that died, but someone is reading it; the next load tries again", table.fullname
        )


def _batches(job: Job) -> Iterator[pa.RecordBatch]:
    """Read the typed columns in batches of few rows and few bytes."""
    names = [column.name for column in job.columns if column.kind]
    metadata = job.parquet.metadata
    size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    a_row = max(1, size // max(1, metadata.num_rows))
    most = max(1, min(_BATCH_ROWS, _BATCH_BYTES // a_row))
    for batch in _read(job, most, names):
        step = max(1, most * _BATCH_BYTES // max(_BATCH_BYTES, batch.nbytes))  # repeated values unpack to more
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def _read(job: Job, rows: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read one row group after the other: asked for all at once, pyarrow reads ahead through the whole file."""
    for group in range(job.parquet.num_row_groups):
        yield from job.parquet.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def _encoded(batch: pa.RecordBatch, job: Job, before: int) -> pa.Buffer:
    cells = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        kind = job.kind(name)
        assert kind is not None  # noqa: S101 - only typed columns are read
        try:
            cells.append(kind.encode(values))
        except (pa.ArrowException, ValueError, OverflowError) as error:
            _explain_value(error, values, job, name, before)
    return _cells.rows(cells)


def _explain_value(error: Exception, values: pa.Array, job: Job, name: str, before: int) -> NoReturn:
    """Find the value that cannot be encoded, and say so."""
    kind = job.kind(name)
    for index in range(len(values)):
        try:
            kind.encode(values.slice(index, 1)) if kind else None
        except (pa.ArrowException, ValueError, OverflowError):
            where = f"{job.where}, row {before + index + 1}, column '{name}'"
            hint = "Round or correct it in the transform."
            problem = f"{_shown(values[index])} is no {kind.sql if kind else ''}: {error}"
            raise DataError(problem, where=where, hint=hint) from error
    raise error


def _explain_row(error: psycopg.Error, job: Job) -> NoReturn:
    """Say which row and column COPY was at, when it refuses a value."""
    told = explained(error, job.where)
    place = re.search(r"^COPY .*, \S+ (\d+), \S+ (.+)$", error.diag.context or "", re.MULTILINE)
    if not isinstance(told, DataError) or place is None:
        raise told from error
    row, name = int(place[1]), place[2]
    value = _value_at(job, row, name)
    problem = f"{_shown(value)}: {told.problem}"
    hint = told.hint
    if "\\x00" in problem:
        hint = (
            "PostgreSQL's text has no NUL character: remove it in the transform; with pandas: .str.replace('\\0', '')."
        )
    raise DataError(problem, where=f"{job.where}, row {row}, column '{name}'", hint=hint) from error


def _value_at(job: Job, row: int, name: str) -> object:
    before = 0
    for batch in _read(job, _BATCH_ROWS, [name]):
        if row <= before + batch.num_rows:
            return batch.column(0)[row - before - 1]
        before += batch.num_rows
    return None


def _shown(value: pa.Scalar) -> str:
    try:
        text = repr(value.as_py())
    except (ValueError, OverflowError):  # Python has no nanoseconds, and no year 10,000
        text = str(value.cast(pa.string()).as_py())
    return text if len(text) <= _MOST_OF_A_VALUE else f"{text[:_MOST_OF_A_VALUE]}..."
