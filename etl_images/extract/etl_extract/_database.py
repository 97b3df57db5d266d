"""Says what reads the rows of a database: PostgreSQL by COPY, any other through its SQLAlchemy dialect."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa

from etl_contract import DataError, SpecError
from etl_extract._rows import Rows

type Statement = sa.Select[Any] | sa.TextClause
type Plains = Callable[[Sequence[Any]], Sequence[Any]]

_MOST_DIGITS, _MOST_DIGITS_OF_ALL = 38, 76  # of a decimal in 128 bits, and in 256
_MOST_SHOWN = 100  # characters of a value that is told
# Of others, Arrow would make of a fraction an integer, of an instant its day, of a number a day, ... and not say so.
_CLASSES: tuple[tuple[Callable[[pa.DataType], bool], type | tuple[type, ...]], ...] = (
    (pa.types.is_boolean, bool),
    (pa.types.is_integer, int),
    (pa.types.is_floating, (float, int)),
    (pa.types.is_decimal, (Decimal, int)),
    (pa.types.is_string, str),
    (pa.types.is_binary, (bytes, bytearray, memoryview)),
    (pa.types.is_date, date),
    (pa.types.is_time, time),
    (pa.types.is_timestamp, datetime),
    (pa.types.is_duration, timedelta),
)


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
    """Give the smallest type of decimals with so many digits, so many of them after the point; text if none has."""
    if precision > _MOST_DIGITS_OF_ALL:
        return pa.string()
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
        return _exactly(plain(values), field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ArithmeticError, ValueError) as error:
        hint = "Cast the column in a query to a type that holds all its values."
        place = f"{where}, column {field.name}"
        raise DataError(f"a value is no {field.type}: {error}", where=place, hint=hint) from error


def _exactly(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of values, none of which is changed for it.

    Raises:
        ValueError: one would be, or Arrow finds itself that it fits not.
    """
    wanted = next((classes for is_kind, classes in _CLASSES if is_kind(kind)), None)
    if wanted is None:
        return _unchanged(values, kind)
    odd = {found for found in set(map(type, values)) - {type(None)} if not _fits(found, wanted)}
    if odd:
        value = next(value for value in values if type(value) in odd)
        raise ValueError(f"'{str(value)[:_MOST_SHOWN]}' is of type {type(value).__name__}")
    if wanted in (datetime, time):
        zoned = getattr(kind, "tz", None) is not None
        for value in values:
            if value is not None and (value.tzinfo is not None) != zoned:
                raise ValueError(f"'{value}' has {'no' if zoned else 'an'} offset")
    return pa.array(values, kind)


def _fits(found: type, wanted: type | tuple[type, ...]) -> bool:
    return issubclass(found, wanted) and not (wanted is date and issubclass(found, datetime))


def _unchanged(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of lists and the like, and look at what became of them."""
    array = pa.array(values, kind)
    for value, found in zip(values, array.to_pylist(), strict=True):
        if value != found:
            raise ValueError(f"'{str(value)[:_MOST_SHOWN]}' loses something")
    return array


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
