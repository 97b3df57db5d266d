"""Reads PostgreSQL by COPY."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, cast

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_extract._copy import bound, copied, described
from etl_extract._database import Statement
from etl_extract._rows import Rows
from etl_extract._types import arrow_schema

_READ_ONLY = "25006"


class Postgres:
    """A snapshot of a PostgreSQL database."""

    dialect = "postgresql"

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._connection.execute(sa.text("set timezone to 'UTC'"))

    def schema(self, statement: Statement, where: str) -> pa.Schema:
        """Ask for the columns of a statement; nothing runs."""
        with _explaining(where), _savepoint(self._connection):
            query = self._query(statement)
            with _explaining(where, query):
                return self._schema(query, where)

    @contextmanager
    def rows(self, statement: Statement, where: str) -> Iterator[Rows]:
        """Run a statement, and stream its rows."""
        with _explaining(where), _savepoint(self._connection):
            query = self._query(statement)
            with _explaining(where, query):
                schema = self._schema(query, where)
                with closing(copied(self._driver, query, schema, where.rpartition(".")[0])) as found:
                    yield Rows(schema, found)

    @property
    def _driver(self) -> psycopg.Connection[Any]:
        return cast("psycopg.Connection[Any]", self._connection.connection.driver_connection)

    def _query(self, statement: Statement) -> str:
        compiled = statement.compile(dialect=self._connection.dialect)
        return bound(self._driver, str(compiled), compiled.params)

    def _schema(self, query: str, where: str) -> pa.Schema:
        columns = described(self._driver, query)
        if not columns:
            hint = "A source reads: it begins with select, values, table or with."
            raise SpecError("it gives no columns", where=where, hint=hint)
        return arrow_schema(columns, where.rpartition(".")[0])


@contextmanager
def _savepoint(connection: sa.Connection) -> Iterator[None]:
    """Leave the connection's transaction as it was, whatever happens: the next source reads in it, too."""
    point = connection.begin_nested()
    try:
        yield
    finally:
        with suppress(exc.DBAPIError):  # the connection is gone, and why is told already
            point.rollback()


@contextmanager
def opened(url: sa.URL, where: str) -> Iterator[Postgres]:
    """Connect, and name who does."""
    known = {"application_name": "etl extract", "client_encoding": "utf8", "connect_timeout": "10"}
    url = url.set(drivername="postgresql+psycopg").update_query_dict(known)
    with _explaining(f"{where}.sql"), sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        yield Postgres(connection)


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
