"""Says what reads the rows of a database: PostgreSQL by COPY, any other through its SQLAlchemy dialect."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError
from etl_extract._rows import Rows

type Statement = sa.Select[Any] | sa.TextClause


class Database(Protocol):
    """An open connection, in one read-only snapshot where the database has such."""

    dialect: str

    def schema(self, statement: Statement, where: str) -> pa.Schema:
        """Ask for the columns of a statement, without its rows; `where` names the field it is from."""

    def rows(self, statement: Statement, where: str) -> AbstractContextManager[Rows]:
        """Run a statement, and stream its rows.

        Raises:
            SpecError: a table or a column is not there, or the SQL is wrong.
            Unavailable: the server does not answer.
            DataError: a value does not fit the column's type.
        """


def array(values: Iterable[Any], kind: pa.DataType, where: str, column: str) -> pa.Array:
    """Give a column's values in its type, exactly.

    Raises:
        DataError: one does not fit.
    """
    try:
        return pa.array(list(values), type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ArithmeticError, ValueError) as error:
        hint = "Cast the column in a query to a type that holds all its values."
        raise DataError(f"a value is no {kind}: {error}", where=f"{where}, column {column}", hint=hint) from error


@contextmanager
def savepoint(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Leave the connection's transaction as it was, whatever happens: the next source reads in it, too."""
    point = connection.begin_nested()
    try:
        yield connection
    finally:
        with suppress(exc.DBAPIError):  # the connection is gone, and why is told already
            point.rollback()
