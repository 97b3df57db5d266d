"""Reads any other database that SQLAlchemy has a dialect for: a column's type is that of the first rows' values.

A later value that is none of the type fails. A column without a value has no type, unless the driver describes
it as text or bytes.
"""

from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_extract._kind import Columns, First, Kind, Plain, nothing, same

_TOGETHER = ({int, float}, {int, Decimal})
_LONG = pa.decimal128(38, 10)


def _columns(result: sa.CursorResult[Any], _told: None, first: First) -> Columns:
    codes = [column[1] for column in result.cursor.description]  # gone, when there are no more rows
    rows = first()
    return [
        _column([row[index] for row in rows]) or _empty(code, result.dialect.dbapi, len(rows))
        for index, code in enumerate(codes)
    ]


def _column(values: list[Any]) -> tuple[pa.DataType, Plain] | None:
    classes = set(map(type, values)) - {type(None)}
    if not classes:
        return None
    if len(classes) > 1 and classes not in _TOGETHER:
        return pa.string(), _text
    try:
        kind = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string(), _text
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string(), _text
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp("us", "UTC"), same
    return (_LONG if pa.types.is_decimal(kind) else kind), same


def _empty(code: object, driver: Any, rows: int) -> tuple[pa.DataType, Plain]:  # noqa: ANN401 - a module of PEP 249
    """Give a column that has no value in so many rows: what it is described as, if that says enough."""
    for name, kind in (("STRING", pa.string()), ("BINARY", pa.binary())):
        if code is not None and getattr(driver, name, None) == code:
            return kind, same
    return pa.null(), partial(_late, rows)


def _late(rows: int, value: object) -> None:
    raise ValueError(f"'{value}' comes after {rows} rows without any, as only text may")


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueError("it holds bytes and others")  # noqa: TRY004 - the value is wrong
    return str(value)


def _fault(error: exc.DBAPIError) -> tuple[type[StageError], str]:
    message = str(error.orig).strip().partition("\n")[0]
    if isinstance(error, exc.DataError):
        return DataError, message
    passing = error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError)
    return (Unavailable if passing else SpecError), message


INFERRED = Kind(url=lambda url, _name, _where: url, begin=(), told=nothing, columns=_columns, fault=_fault)
