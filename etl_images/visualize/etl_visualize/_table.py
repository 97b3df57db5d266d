"""Holds a query's rows as JSON has them: no value that a chart could not read, none that it would read wrongly."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from etl_contract import SpecError

_EXACT = 2**53  # JavaScript's numbers are doubles: a whole number beyond this would change

Row = dict[str, JsonValue]


class Table(NamedTuple):
    """The rows of a query, the Python type of each column, and whether there are more than were asked for."""

    columns: dict[str, type]
    rows: list[Row]
    more: bool = False


def as_table(names: Sequence[str], rows: Sequence[Sequence[Any]], timezone: str, where: str) -> Table:
    """Give what a query returned as a Table; instants become what a clock in the time zone shows.

    Raises:
        SpecError: two columns have one name.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        hint = "Give each its own name with 'as'."
        raise SpecError(f"the result has two columns named {', '.join(twice)}", where=where, hint=hint)
    zone = ZoneInfo(timezone)
    types = {name: _type_of(row[index] for row in rows) for index, name in enumerate(names)}
    return Table(types, [{name: plain(value, zone) for name, value in zip(names, row, strict=True)} for row in rows])


def plain(value: Any, zone: ZoneInfo) -> JsonValue:  # noqa: ANN401, PLR0911 - any value that PostgreSQL has
    """Give a value as JSON has it; what is no finite number is null."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _EXACT else str(value)
        case float() | Decimal():
            number = float(value)
            return number if math.isfinite(number) else None
        case datetime():
            return (value.astimezone(zone) if value.tzinfo else value).replace(tzinfo=None).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case list() | tuple():
            return [plain(item, zone) for item in value]
        case dict():
            return {str(key): plain(item, zone) for key, item in value.items()}
        case _:
            return str(value)


def _type_of(values: Iterable[Any]) -> type:
    return next((type(value) for value in values if value is not None), type(None))
