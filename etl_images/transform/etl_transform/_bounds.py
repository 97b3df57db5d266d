"""Writes what a pipeline file compares with as SQL of the column's own type, so that nothing is rounded on the way."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from zoneinfo import ZoneInfo

from etl_transform._checked_rows import CheckedColumn
from etl_transform._duckdb import literal

type Given = bool | int | float | str

_NUMBERS = {"integer", "decimal", "float"}
_ORDERED = {*_NUMBERS, "text", "date", "time", "timestamp", "timestamptz", "null"}
_COUNTED = {**dict.fromkeys(("text", "list"), "length"), "binary": "octet_length", "null": ""}
_EXACT = Context(prec=1000)


def in_range(column: CheckedColumn, ends: Sequence[Given | None], timezone: str) -> str:
    """Write the condition that a value lies between both ends; no NaN does.

    Raises:
        ValueError: the column has no such values.
    """
    if column.family not in _ORDERED:
        raise ValueError(f"in_range has no meaning for {column.type}")
    low, high = ends
    parts = [f"not isnan({column.sql})"] if column.family == "float" else []
    if low is not None:
        parts.append(_bound(column, low, ">=", timezone))
    if high is not None:
        parts.append(_bound(column, high, "<=", timezone))
    return " and ".join(parts)


def one_of(column: CheckedColumn, values: Sequence[Given], timezone: str) -> str:
    """Write the condition that a value is one of these.

    Raises:
        ValueError: the column has no such values.
    """
    if column.family not in {*_ORDERED, "boolean"}:
        raise ValueError(f"one_of has no meaning for {column.type}")
    there = [text for value in values if (text := _value(column, value, timezone)) is not None]
    return f"{column.sql} in ({', '.join(there)})" if there else "false"


def length(column: CheckedColumn, ends: Sequence[int | None]) -> str:
    """Write the condition that a value has so many characters, bytes or elements.

    Raises:
        ValueError: the column's values have no length.
    """
    if column.family not in _COUNTED:
        raise ValueError(f"length has no meaning for {column.type}")
    counted = f"{_COUNTED[column.family]}({column.sql})"
    signs = zip((">=", "<="), ends, strict=True)
    return " and ".join(f"{counted} {sign} {end}" for sign, end in signs if end is not None)


def _bound(column: CheckedColumn, end: Given, sign: str, timezone: str) -> str:
    """Compare with an end; one between two values of the column's type is moved inwards, onto the next of them."""
    if column.family not in {"integer", "decimal"}:
        return f"{column.sql} {sign} {_value(column, end, timezone)}"
    rounding = ROUND_CEILING if sign == ">=" else ROUND_FLOOR
    unscaled = int(_EXACT.scaleb(_number(column, end), column.scale).to_integral_value(rounding))
    least, most = column.integer_range
    if not least <= unscaled <= most:
        return "true" if (unscaled < least) == (sign == ">=") else "false"
    return f"{column.sql} {sign} {_unscaled(column, unscaled)}"


def _value(column: CheckedColumn, value: Given, timezone: str) -> str | None:
    """Write a value; None where the column's type has none that equals it."""
    match column.family:
        case "null":
            return "null"
        case "integer" | "decimal":
            scaled = _EXACT.scaleb(_number(column, value), column.scale)
            least, most = column.integer_range
            is_one = scaled == scaled.to_integral_value() and least <= scaled <= most
            return _unscaled(column, int(scaled)) if is_one else None
        case "float":
            return f"{literal(_float(_number(column, value)))}::{column.type}"
        case "boolean" if isinstance(value, bool):
            return str(value).lower()
        case "text" if isinstance(value, str):
            return literal(value)
        case "date" | "time" | "timestamp" | "timestamptz" if isinstance(value, str):
            return f"{literal(_moment(column, value, timezone))}::{column.type}"
    raise ValueError(f"{value!r} is none of the values of {column.type}")


def _number(column: CheckedColumn, value: Given) -> Decimal:
    if isinstance(value, bool | str):
        raise ValueError(f"{value!r} is none of the values of {column.type}")  # noqa: TRY004 - as for other families
    return Decimal(repr(value))


def _float(value: Decimal) -> str:
    number = float(value)
    return repr(number) if math.isfinite(number) else f"{'-' if number < 0 else ''}inf"


def _unscaled(column: CheckedColumn, unscaled: int) -> str:
    return f"{literal(f'{_EXACT.scaleb(Decimal(unscaled), -column.scale):f}')}::{column.type}"


def _moment(column: CheckedColumn, text: str, timezone: str) -> str:
    """Read an ISO date or time; one without a zone is the pipeline's where the column has instants."""
    try:
        match column.family:
            case "date":
                return date.fromisoformat(text).isoformat()
            case "time":
                return time.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no {column.family}; write it as ISO 8601 does") from None
    if column.family == "timestamp":
        if moment.tzinfo is not None:
            raise ValueError(f"'{text}' has a time zone, and {column.type} has none")
        return moment.isoformat(" ")
    instant = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(timezone))
    return instant.astimezone(UTC).isoformat(" ")
