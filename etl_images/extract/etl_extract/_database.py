"""Says what reads the rows of a database: PostgreSQL by COPY, any other through its SQLAlchemy dialect."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa

from etl_contract import DataError, SpecError
from etl_extract._rows import Rows

type Statement = sa.Select[Any] | sa.TextClause
type Plains = Callable[[Sequence[Any]], Sequence[Any]]

_MOST_DIGITS = 38  # of a decimal in 128 bits


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


def unlike(names: Sequence[str], where: str) -> None:
    """Make sure that no two columns have one name.

    Raises:
        SpecError: they have.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        hint = "Give each its own name with 'as'."
        raise SpecError(f"the result has two columns named {', '.join(twice)}", where=where, hint=hint)


def decimal(precision: int, scale: int) -> pa.DataType:
    """Give the smallest type of decimals with so many digits, so many of them after the point."""
    return (pa.decimal128 if precision <= _MOST_DIGITS else pa.decimal256)(precision, scale)


def batches(
    parts: Iterable[Sequence[Any]], schema: pa.Schema, plains: Sequence[Plains], where: str
) -> Iterator[pa.RecordBatch]:
    """Turn parts of a result, row by row, into batches; `plains` makes of each column's values what Arrow takes.

    Raises:
        DataError: a value does not fit its column's type.
    """
    for rows in parts:
        columns = zip(zip(*rows, strict=True), schema, plains, strict=True)
        arrays = [_array(values, field, plain, where) for values, field, plain in columns]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], field: pa.Field, plain: Plains, where: str) -> pa.Array:
    try:
        return pa.array(plain(values), type=field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ArithmeticError, ValueError) as error:
        hint = "Cast the column in a query to a type that holds all its values."
        place = f"{where}, column {field.name}"
        raise DataError(f"a value is no {field.type}: {error}", where=place, hint=hint) from error


def inner(statement: Statement) -> sa.FromClause:
    """Put a statement in brackets, as something to select from."""
    selected = statement if isinstance(statement, sa.Select) else statement.columns()
    return selected.subquery("source")


def selected(statement: Statement) -> sa.Select[Any]:
    """Give a statement as a select, to which a condition or a limit can be added."""
    return (
        statement
        if isinstance(statement, sa.Select)
        else sa.select(sa.literal_column("*")).select_from(inner(statement))
    )
