"""Reads databases other than PostgreSQL, each through its SQLAlchemy dialect, with types as exact as it tells them."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_contract.parquet import BATCH_ROWS
from etl_extract import _inferred, _mysql, _sqlite
from etl_extract._database import Statement, array
from etl_extract._kind import Kind, Plain
from etl_extract._rows import Rows

_KINDS = {"mysql": _mysql.MYSQL, "mariadb": _mysql.MYSQL, "sqlite": _sqlite.SQLITE}


def url_of(url: sa.URL, name: str, where: str) -> sa.URL:
    """Name the driver that the image has, and make sure that nothing is written.

    Raises:
        SpecError: there is nothing at the address.
    """
    return _kind(url.get_backend_name()).url(url, name, where)


class Other:
    """A connection to a database; one snapshot where the database has such."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._kind = _kind(connection.dialect.name)
        self.dialect = connection.dialect.name
        for statement in self._kind.begin:
            connection.exec_driver_sql(statement)

    def schema(self, statement: Statement, where: str) -> pa.Schema:
        """Ask for the columns of a statement."""
        with self._read(statement, where) as (schema, _, _):
            return schema

    @contextmanager
    def rows(self, statement: Statement, where: str) -> Iterator[Rows]:
        """Run a statement, and stream its rows."""
        source = where.rpartition(".")[0]
        with self._read(statement, where) as (schema, plains, parts):
            yield Rows(schema, _batches(parts, schema, plains, source))

    @contextmanager
    def _read(
        self, statement: Statement, where: str
    ) -> Iterator[tuple[pa.Schema, Sequence[Plain], Iterator[Sequence[sa.Row[Any]]]]]:
        with explaining_others(where):
            told = self._kind.told(self._connection, statement)
            reading = statement.execution_options(stream_results=True, yield_per=BATCH_ROWS)
            with closing(self._connection.execute(reading)) as result:
                if not result.returns_rows:
                    hint = "A source reads: it begins with select, values or with."
                    raise SpecError("it gives no columns", where=where, hint=hint)
                names = list(result.keys())
                if twice := sorted({name for name in names if names.count(name) > 1}):
                    hint = "Give each its own name with 'as'."
                    raise SpecError(f"the result has two columns named {', '.join(twice)}", where=where, hint=hint)
                parts = iter(result.partitions(BATCH_ROWS))
                first = cache(lambda: next(parts, []))
                columns = self._kind.columns(result, told, first)
                schema = pa.schema([(name, kind) for name, (kind, _) in zip(names, columns, strict=True)])
                yield schema, [plain for _, plain in columns], _again(first(), parts, where)


def _kind(name: str) -> Kind:
    return _KINDS.get(name, _inferred.INFERRED)


def _again(first: Sequence[Any], rest: Iterator[Sequence[Any]], where: str) -> Iterator[Sequence[Any]]:
    with explaining_others(where):
        if first:
            yield first
        yield from rest


def _batches(
    parts: Iterator[Sequence[Any]], schema: pa.Schema, plains: Sequence[Plain], where: str
) -> Iterator[pa.RecordBatch]:
    for rows in parts:
        columns = zip(*rows, strict=True)
        arrays = [
            array(_plainly(values, plain), field.type, where, field.name)
            for values, field, plain in zip(columns, schema, plains, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plainly(values: Sequence[Any], plain: Plain) -> Iterator[Any]:
    return (None if value is None else plain(value) for value in values)


@contextmanager
def explaining_others(where: str) -> Iterator[None]:
    """Turn a driver's error into one that says what should happen next."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _explained(error, where) from error


def _explained(error: exc.DBAPIError, where: str) -> StageError:
    driver = type(error.orig).__module__.partition(".")[0]
    kind = {"pymysql": _mysql.MYSQL, "sqlite3": _sqlite.SQLITE}.get(driver, _inferred.INFERRED)
    fault, message = kind.fault(error)
    hints: dict[type[StageError], str] = {
        Unavailable: "It is tried again; is the server up?",
        DataError: "Correct the rows, or the query that meets them.",
        SpecError: "Correct the query, the table, its 'columns' or its 'where'; a source only reads.",
    }
    return fault(message, where=where, hint=hints[fault])
