"""Maps PostgreSQL's types to Arrow's so that no value changes on its way."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from psycopg.postgres import types

from etl_extract._copy import UNBOUNDED, Described
from etl_extract._database import decimal, unlike

_UTC = pa.timestamp("us", tz="UTC")
_BY_NAME = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "oid": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": _UTC,
}
_BY_OID = {types[name].oid: arrow for name, arrow in _BY_NAME.items()}
_LISTS = {types[name].array_oid: pa.list_(arrow) for name, arrow in _BY_NAME.items()} | {
    types[name].array_oid: pa.list_(pa.string()) for name in ("text", "varchar", "bpchar", "uuid")
}
_MOST_DIGITS_OF_ALL = 76


def arrow_schema(columns: Sequence[Described], where: str) -> pa.Schema:
    """Give the Arrow schema of a result.

    Raises:
        SpecError: two columns have one name.
    """
    unlike([column.name for column in columns], where)
    return pa.schema([(column.name, arrow_type(column)) for column in columns])


def arrow_type(column: Described) -> pa.DataType:
    """Give a column's Arrow type; what Arrow has no type for (uuid, json, enums, inet, ...) travels as its text."""
    if column.type_code == types["numeric"].oid:
        if column.precision is None:
            return UNBOUNDED
        precision, scale = column.precision, column.scale or 0
        if precision > _MOST_DIGITS_OF_ALL:
            return pa.string()
        return decimal(precision, scale)
    return _BY_OID.get(column.type_code) or _LISTS.get(column.type_code) or pa.string()


def plain(arrow: pa.DataType, values: Sequence[Any]) -> Sequence[Any]:
    """Give the values as Arrow takes them: for a text column, each value as its text."""
    if arrow != pa.string():
        return values
    return [value if value is None or isinstance(value, str) else _text(value) for value in values]


def _text(value: Any) -> str:  # noqa: ANN401 - any value that PostgreSQL has
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool | int | float) else str(value)
