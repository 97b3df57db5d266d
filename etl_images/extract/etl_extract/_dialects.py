"""Reads databases other than PostgreSQL, each through its SQLAlchemy dialect, with types as exact as it tells them."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from itertools import chain
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_contract.parquet import BATCH_ROWS
from etl_extract import _inferred, _mysql, _sqlite
from etl_extract._database import Plains, Statement, batches, selected, unlike
from etl_extract._kind import Kind, Plain, same
from etl_extract._rows import Rows

_KINDS = {"mysql": _mysql.MYSQL, "mariadb": _mysql.MYSQL, "sqlite": _sqlite.SQLITE}
_FIRST_ROWS = 1000
_HINTS: dict[type[StageError], str] = {
    Unavailable: "It is tried again; is the server up?",
    DataError: "Correct the rows, or the query that meets them.",
    SpecError: "Correct the query, the table, its 'columns' or its 'where'; a source only reads.",
}


@contextmanager
def opened(name: str, url: sa.URL, where: str) -> Iterator["Other"]:
    """Connect by the driver that the image has for the connection's kind.

    Raises:
        SpecError: it has none, or there is nothing at the address.
    """
    backend = url.get_backend_name()
    kind = _KINDS.get(backend, _inferred.INFERRED)
    try:
        engine = sa.create_engine(kind.url(url, name, where), poolclass=sa.NullPool)
    except (exc.NoSuchModuleError, ModuleNotFoundError):
        hint = "Use postgresql://, mysql://, mariadb:// or sqlite://; docs/pipelines.md says how to add others."
        raise SpecError(f"connection '{name}' is of kind '{backend}'", where=where, hint=hint) from None
    with _explaining(kind, f"{where}.sql"), engine.connect() as connection:
        yield Other(connection, kind)


class Other:
    """A connection to a database; one snapshot where the database has such."""

    def __init__(self, connection: sa.Connection, kind: Kind) -> None:
        self._connection = connection
        self._kind = kind
        self.dialect = connection.dialect.name
        for statement in kind.begin:
            connection.exec_driver_sql(statement)

    def schema(self, statement: Statement, where: str) -> pa.Schema:
        """Ask for the columns of a statement, by its first rows: a driver reads to the end what it has begun."""
        with self._read(selected(statement).limit(_FIRST_ROWS), where) as (schema, _, _):
            return schema

    @contextmanager
    def rows(self, statement: Statement, where: str) -> Iterator[Rows]:
        """Run a statement, and stream its rows."""
        with self._read(statement, where) as (schema, plains, parts):
            yield Rows(schema, batches(parts, schema, plains, where.rpartition(".")[0]))

    @contextmanager
    def _read(
        self, statement: Statement, where: str
    ) -> Iterator[tuple[pa.Schema, Sequence[Plains], Iterator[Sequence[Any]]]]:
        with _explaining(self._kind, where):
            running, told = self._kind.told(self._connection, statement)
            reading = running.execution_options(stream_results=True, yield_per=BATCH_ROWS)
            with closing(self._connection.execute(reading)) as result:
                if not result.returns_rows:
                    hint = "A source reads: it begins with select, values or with."
                    raise SpecError("it gives no columns", where=where, hint=hint)
                names = list(result.keys())
                unlike(names, where)
                parts = iter(result.partitions(BATCH_ROWS))
                first = cache(lambda: next(parts, []))
                columns = self._kind.columns(result, told, first)
                schema = pa.schema([(name, kind) for name, (kind, _) in zip(names, columns, strict=True)])
                plains = [partial(_plainly, plain) for _, plain in columns]
                yield schema, plains, chain(filter(None, [first()]), parts)


def _plainly(plain: Plain, values: Sequence[Any]) -> Sequence[Any]:
    return values if plain is same else [None if value is None else plain(value) for value in values]


@contextmanager
def _explaining(kind: Kind, where: str) -> Iterator[None]:
    """Turn a driver's error into one that says what should happen next."""
    try:
        yield
    except exc.DBAPIError as error:
        fault, message = kind.fault(error)
        raise fault(message, where=where, hint=_HINTS[fault]) from error
