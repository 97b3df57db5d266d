"""Maps PostgreSQL's types to Arrow's so that no value changes on its way."""

from collections.abc import Sequence

import pyarrow as pa
from psycopg.postgres import types

from etl_extract._copy import Described
from etl_extract._database import decimal, unlike
from etl_extract._texts import UNBOUNDED

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
_ELEMENTS = {kind.array_oid: kind.oid for kind in types if kind.delimiter == ","}  # by the array's own


def arrow_schema(columns: Sequence[Described], where: str) -> pa.Schema:
    """Give the Arrow schema of a result.

    Raises:
        SpecError: two columns have one name.
    """
    unlike([column.name for column in columns], where)
    return pa.schema([(column.name, arrow_type(column)) for column in columns])


def arrow_type(column: Described) -> pa.DataType:
    """Give a column's Arrow type; what Arrow has no type for (uuid, json, enums, inet, ...) travels as its text.

    An array of one of PostgreSQL's own types is a list of what such a type is; that of another's is its text.
    """
    if (element := _ELEMENTS.get(column.type_code)) is not None:
        return pa.list_(arrow_type(column._replace(type_code=element)))
    if column.type_code == types["numeric"].oid:
        if column.precision is None:
            return UNBOUNDED
        return decimal(column.precision, column.scale or 0)
    return _BY_OID.get(column.type_code, pa.string())
