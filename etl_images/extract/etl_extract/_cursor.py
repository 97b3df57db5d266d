"""Follows a source's cursor: from the watermark of the last load to the largest value that this run reads."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from etl_contract import DataError, SpecError, SqlSource, Watermark
from etl_extract._times import TIMES


class Cursor:
    """A column whose values only grow, and how far it has been read.

    Rows are read whose value lies after the watermark; with a `lookback`, those from that long before it on.

    Args:
        name: the source.
        source: what it is.
        schema: the columns that it has.
        stored: the watermark.
        anew: whether all rows are read, also those before it.

    Raises:
        SpecError: the column is not there, has no order that lasts, or the lookback or the watermark does not fit it.
    """

    def __init__(
        self, name: str, source: SqlSource, schema: pa.Schema, stored: str | None, *, anew: bool = False
    ) -> None:
        self._source = name
        self._column = str(source.cursor)
        where = f"extract.{name}.cursor"
        if self._column not in schema.names:
            hint = f"Name one of them: {', '.join(schema.names)}."
            raise SpecError(f"the source has no column '{self._column}'", where=where, hint=hint)
        self._type = schema.field(self._column).type
        if not (_is_number(self._type) or _is_time(self._type)):
            hint = "A cursor is a timestamp, a date, an integer or a numeric."
            raise SpecError(f"column '{self._column}' is a {self._type}", where=where, hint=hint)
        self._text = stored
        self._stored = None if stored is None or anew else _parsed(stored, self._type, where)
        self._largest = self._stored
        self._back = None if source.lookback is None else self._step(source, f"extract.{name}.lookback")

    def condition(self, dialect: str) -> sa.ColumnElement[bool]:
        """Give the condition for the rows to read."""
        column: sa.ColumnElement[Any] = sa.column(self._column)
        if self._stored is None:
            return column.is_not(None)
        if dialect == "sqlite" and _is_time(self._type):
            column = sa.collate(column, TIMES)
        if self._back is None:
            return column > bound("watermark", self._stored, dialect)
        return column >= bound("watermark", self._stored - self._back, dialect)

    def missing(self) -> sa.ColumnElement[bool]:
        """Give the condition for the rows that no run reads."""
        return sa.column(self._column).is_(None)

    def watch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and keep the largest value.

        Raises:
            DataError: it is endless.
        """
        for batch in batches:
            try:
                largest = pc.max(batch.column(self._column)).as_py()
            except (OverflowError, ValueError) as error:
                problem = (
                    f"'{self._column}' has an endless value, after which no other comes, so it can be no watermark"
                )
                hint = f"Give it a time, or leave such rows out: where: isfinite({self._column})."
                raise DataError(problem, where=f"extract.{self._source}.cursor", hint=hint) from error
            if largest is not None and (self._largest is None or largest > self._largest):
                self._largest = largest
            yield batch

    def watermarks(self) -> tuple[Watermark, ...]:
        """Give the watermark that load is to write, also where it stays; none where nothing was ever read."""
        if self._largest is None:
            return ()
        largest = self._largest
        value = largest.isoformat() if isinstance(largest, date) else f"{Decimal(largest):f}"
        if largest == self._stored and self._text is not None:
            value = self._text
        return (Watermark(source=self._source, field=self._column, value=value, since=self._text, cursor=True),)

    def _step(self, source: SqlSource, where: str) -> timedelta | int:
        step = source.lookback_step
        if _is_time(self._type) and isinstance(step, timedelta):
            # A date has no hours: 36 of them are two days.
            return timedelta(days=-(-step // timedelta(days=1))) if pa.types.is_date(self._type) else step
        if _is_number(self._type) and isinstance(step, int):
            return step
        hint = "Write a duration such as 2 days for a time, a whole number for a number."
        raise SpecError(f"'{source.lookback}' does not fit a {self._type}", where=where, hint=hint)


def bound(name: str, value: Any, dialect: str) -> sa.BindParameter[Any]:  # noqa: ANN401 - whatever a query is told
    """Bind a value as the database compares it: one without time zones is told instants by UTC's clock."""
    if dialect != "postgresql" and isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if dialect == "sqlite" and isinstance(value, datetime):
        value = value.isoformat(sep=" ")  # as a text: it has no type for times
    elif dialect == "sqlite" and isinstance(value, date):
        value = value.isoformat()
    kinds: dict[type, sa.types.TypeEngine[Any]] = {
        datetime: sa.DateTime(timezone=isinstance(value, datetime) and value.tzinfo is not None),
        Decimal: sa.Numeric(),
        int: sa.BigInteger(),
    }
    return sa.bindparam(name, value, kinds.get(type(value)))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _parsed(stored: str, kind: pa.DataType, where: str) -> Any:  # noqa: ANN401 - an instant, a date or a number
    """Read a watermark back.

    Raises:
        SpecError: it is of another kind, since the column had another type then.
    """
    try:
        if pa.types.is_integer(kind):
            return int(stored)
        if pa.types.is_decimal(kind):
            return Decimal(stored)
        if pa.types.is_date(kind):
            return date.fromisoformat(stored)
        value = datetime.fromisoformat(stored)
        if (value.tzinfo is None) != (kind.tz is None):
            raise ValueError  # noqa: TRY301 - told below as the same
    except (ValueError, ArithmeticError):
        hint = "Delete its line from etl.watermarks to read the source from its beginning."
        raise SpecError(f"the watermark '{stored}' is no {kind}", where=where, hint=hint) from None
    return value
