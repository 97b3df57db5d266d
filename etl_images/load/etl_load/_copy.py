"""Copies a dataset into a table in PostgreSQL's binary format, in constant memory, and explains what it refuses."""

import re
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NoReturn

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql

from etl_contract import DataError
from etl_load import _cells
from etl_load._cells import Encoder
from etl_load._faults import explained
from etl_load._job import Job, Own
from etl_load._warehouse import driver

# So few rows at once keep encoding and the server's work close together, and memory small.
_BATCH_ROWS = 8_192
_BATCH_BYTES = 4 * 1024 * 1024
_MOST_OF_A_VALUE = 80


def copy_into(
    connection: sa.Connection, job: Job, table: sa.Table, encoders: Mapping[str, Encoder], own: tuple[Own, ...] = ()
) -> int:
    """Copy the columns that have an encoder into a table, with the mode's own columns; give the number of rows.

    Raises:
        DataError: a value is none that PostgreSQL can store; says which, and where.
    """
    job.sent.clear()
    names = [column.name for column in own] + list(encoders)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*filter(None, (table.schema, table.name))), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    start = _cells.row_start(len(names), *(column.cells for column in own))
    try:
        with (
            driver(connection).cursor().copy(statement) as copy,
            closing(
                _ahead(_encoded(job, encoders, start))
            ) as batches,  # the thread has ended before anyone reads again
        ):
            copy.write(_cells.SIGNATURE)
            for rows, data in batches:
                copy.write(memoryview(data))
                job.sent.update(rows=rows, bytes=data.size)
            copy.write(_cells.TRAILER)
    except psycopg.Error as error:
        _explain_row(error, job)
    if job.sent["rows"] != job.dataset.rows:
        hint = "Clear the stage that writes it, and those after it."
        problem = f"{job.sent['rows']} rows where {job.dataset.rows} were announced"
        raise DataError(problem, where=job.where, hint=hint)
    return job.sent["rows"]


def _batches(job: Job, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Read columns in batches of few rows and few bytes."""
    metadata = job.parquet.metadata
    size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    a_row = max(1, size // max(1, metadata.num_rows))
    most = max(1, min(_BATCH_ROWS, _BATCH_BYTES // a_row))
    for batch in job.read(names, most):
        step = max(1, most * _BATCH_BYTES // max(_BATCH_BYTES, batch.nbytes))  # repeated values unpack to more
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def _ahead[Item](items: Iterator[Item]) -> Generator[Item]:
    """Make the next item in a thread while this one is used: one core encodes while another, the server's, stores."""
    with ThreadPoolExecutor(1, "encode") as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item


def _encoded(job: Job, encoders: Mapping[str, Encoder], start: pa.Scalar) -> Iterator[tuple[int, pa.Buffer]]:
    """Give the bytes of a batch after the other, each with its number of rows."""
    before = 0
    for batch in _batches(job, list(encoders)):
        cells = []
        for name, encode in encoders.items():
            values = batch.column(name)
            try:
                cells.append(encode(values))
            except (pa.ArrowException, ValueError, OverflowError) as error:
                _explain_value(error, values, job, name, before, encode)
        before += batch.num_rows
        yield batch.num_rows, _cells.rows(start, cells)


def _explain_value(  # noqa: PLR0913, PLR0917 - all of it is told
    error: Exception, values: pa.Array, job: Job, name: str, before: int, encode: Encoder
) -> NoReturn:
    """Find the value that cannot be encoded, and say so."""
    kind = job.kind(name)
    for index in range(len(values)):
        try:
            encode(values.slice(index, 1))
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
    if not isinstance(told, DataError) or place is None or place[2] not in job.names:
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
    for batch in job.read([name], _BATCH_ROWS):
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
