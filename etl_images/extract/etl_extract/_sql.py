"""Reads tables and queries through SQLAlchemy, streaming, with the interval bound as parameters."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, cast

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, Interval, SpecError, SqlSource, StageError, Unavailable
from etl_contract.parquet import BATCH_ROWS
from etl_extract._connection import CONNECTIONS, connection_uri
from etl_extract._copy import Described, bound, copied, copies, described
from etl_extract._rows import Rows
from etl_extract._types import arrow_schema, plain

_READ_ONLY = "25006"


class SqlReader(AbstractContextManager["SqlReader"]):
    """Reads all sources of one connection in one read-only snapshot, so that they agree with each other."""

    def __init__(self, interval: Interval, connections: Path = CONNECTIONS) -> None:
        self._interval = interval
        self._folder = connections
        self._open: dict[str, sa.Connection] = {}
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @contextmanager
    def rows(self, name: str, source: SqlSource) -> Iterator[Rows]:
        """Run a source's query.

        Raises:
            SpecError: the connection, a table or a column is not there, or the SQL is wrong.
            Unavailable: the server does not answer.
            DataError: a value does not fit the column's type.
        """
        where = f"extract.{name}"
        field = "query" if source.query is not None else "table"
        with _explaining(f"{where}.{field}"), _savepoint(self._connection(source.sql, where)) as connection:
            statement = self._statement(source, where)
            compiled = statement.compile(dialect=connection.dialect)
            driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
            query = bound(driver, str(compiled), compiled.params)
            with _explaining(f"{where}.{field}", query):
                schema = arrow_schema(_columns(driver, query, f"{where}.{field}"), where)
                if copies(schema):
                    with closing(copied(driver, query, schema, where)) as batches:
                        yield Rows(schema, batches)
                else:
                    reading = statement.execution_options(yield_per=BATCH_ROWS)
                    with closing(connection.execute(reading)) as result:
                        yield Rows(schema, _batches(result, schema, where))

    def _connection(self, name: str, where: str) -> sa.Connection:
        if name not in self._open:
            engine = sa.create_engine(connection_url(name, self._folder, where), poolclass=sa.NullPool)
            connection = self._exit.enter_context(engine.connect())
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execute(sa.text("set timezone to 'UTC'"))
            self._open[name] = connection
        return self._open[name]

    def _statement(self, source: SqlSource, where: str) -> sa.Select[Any] | sa.TextClause:
        if source.table is None:
            return self._bound(str(source.query), f"{where}.query")
        schema, _, table = source.table.rpartition(".")
        columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in source.columns]
        columns = columns or [sa.literal_column("*")]
        statement = sa.select(*columns).select_from(sa.table(table, schema=schema or None))
        # On lines of its own, so that a remark at its end stays one.
        return (
            statement
            if source.where is None
            else statement.where(self._bound(f"(\n{source.where}\n)", f"{where}.where"))
        )

    def _bound(self, text: str, where: str) -> sa.TextClause:
        """Bind what a text of the author's asks for."""
        statement = sa.text(text)
        known = {"start": self._interval.start, "end": self._interval.end}
        named = set(statement.compile().params)
        if unknown := sorted(named - set(known)):
            hint = "Use :start and :end; write a colon that is none as \\:."
            raise SpecError(f"no value for :{', :'.join(unknown)}", where=where, hint=hint)
        return statement.bindparams(*(sa.bindparam(k, known[k], sa.DateTime(timezone=True)) for k in sorted(named)))


def connection_url(name: str, folder: Path, where: str) -> sa.URL:
    """Read a connection's URI from its secret file."""
    url = sa.make_url(connection_uri(name, where, folder))
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg").update_query_dict(
            {"application_name": "etl extract", "connect_timeout": "10"}
        )
    raise SpecError(f"connection '{name}' is of kind '{url.drivername}'", where=where, hint="Use postgresql://.")


def _batches(result: sa.CursorResult[Any], schema: pa.Schema, where: str) -> Iterator[pa.RecordBatch]:
    for rows in result.partitions(BATCH_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [_array(values, field, where) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: tuple[Any, ...], field: pa.Field, where: str) -> pa.Array:
    try:
        return pa.array(plain(values, field.type), type=field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        hint = "Cast the column in a query to a type that holds all its values."
        raise DataError(
            f"a value is no {field.type}: {error}", where=f"{where}, column {field.name}", hint=hint
        ) from error


def _columns(driver: psycopg.Connection[Any], query: str, where: str) -> list[Described]:
    columns = described(driver, query)
    if not columns:
        hint = "A source reads: it begins with select, values, table or with."
        raise SpecError("it gives no columns", where=where, hint=hint)
    return columns


@contextmanager
def _savepoint(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Leave the connection's transaction as it was, whatever happens: the next source reads in it, too."""
    savepoint = connection.begin_nested()
    try:
        yield connection
    finally:
        with suppress(exc.DBAPIError):  # the connection is gone, and why is told already
            savepoint.rollback()


@contextmanager
def _explaining(where: str, query: str = "") -> Iterator[None]:
    """Turn a driver's error into one that says what should happen next."""
    try:
        yield
    except exc.DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise _explained(error.orig, where, error.statement or "") from error
    except psycopg.Error as error:  # from COPY and its like, which SQLAlchemy does not see
        raise _explained(error, where, query) from error


def _explained(error: psycopg.Error, where: str, statement: str) -> StageError:
    diagnosis = error.diag
    message = ". ".join(filter(None, (diagnosis.message_primary, diagnosis.message_hint)))
    message = message or str(error).strip().partition("\n")[0]
    if error.sqlstate == _READ_ONLY:
        return SpecError(message, where=where, hint="A source only reads; load is what writes.")
    if isinstance(error, psycopg.OperationalError | psycopg.InternalError):
        return Unavailable(message, where=where.rpartition(".")[0], hint="It is tried again; is the server up?")
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return DataError(message, where=where, hint="Correct the rows, or the query that meets them.")
    if where.endswith(".table"):
        return SpecError(message, where=where, hint="Correct the table, its 'columns' or its 'where'.")
    line = _line(diagnosis, statement)
    return SpecError(message, where=f"{where}{line}", hint="Correct the query.")


def _line(diagnosis: psycopg.errors.Diagnostic, statement: str) -> str:
    """Name the line of the query that PostgreSQL points to."""
    if diagnosis.statement_position is None or not statement:
        return ""
    return f", line {statement.count('\n', 0, int(diagnosis.statement_position) - 1) + 1}"
