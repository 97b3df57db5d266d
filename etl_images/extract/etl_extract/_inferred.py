"""Reads any other database that SQLAlchemy has a dialect for: a column's type is that of the first rows' values."""

from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_extract._kind import Columns, First, Kind, Plain, nothing, same

_LONG = pa.decimal128(38, 10)


def _columns(result: sa.CursorResult[Any], _told: None, first: First) -> Columns:
    return [_column([row[index] for row in first()]) for index in range(len(result.keys()))]


def _column(values: list[Any]) -> tuple[pa.DataType, Plain]:
    try:
        kind = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string(), str
    if pa.types.is_null(kind):
        return pa.string(), str
    return (_LONG if pa.types.is_decimal(kind) else kind), same


def _fault(error: exc.DBAPIError) -> tuple[type[StageError], str]:
    message = str(error.orig).strip().partition("\n")[0]
    if isinstance(error, exc.DataError):
        return DataError, message
    passing = error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError)
    return (Unavailable if passing else SpecError), message


INFERRED = Kind(url=lambda url, _name, _where: url, begin=(), told=nothing, columns=_columns, fault=_fault)
