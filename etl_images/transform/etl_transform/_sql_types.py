"""Says how a column of DuckDB is stored in Parquet so that no value changes on its way.

What Parquet, as DuckDB writes it, would make a float (whole numbers of 128 bits, as `sum` gives) is a decimal; what it
would make bytes (intervals) is a duration; a time with an offset is its text.
"""

import base64
from collections.abc import Sequence

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from etl_contract import SpecError
from etl_transform._duckdb import identifier

_EXACT = {"hugeint": "DECIMAL(38,0)", "uhugeint": "DECIMAL(38,0)", "time with time zone": "VARCHAR"}
_NO_TYPE = {"union", "variant", "geometry"}
_MONTHS = "an interval of months or years has no fixed length; keep it as text: cast(... as varchar)"


def expression(name: str, sql_type: DuckDBPyType, where: str) -> str:
    """Write the expression that stores a column.

    Raises:
        SpecError: no table has such a type.
    """
    column = identifier(name)
    if sql_type.id == "interval":
        months = f"datepart('year', {column}) * 12 + datepart('month', {column})"
        return f"if({months} <> 0, error('{_MONTHS}'), epoch_us({column})) as {column}"
    stored = _stored(sql_type)
    if stored is None:
        hint = "Cast it to a type that a table has, such as varchar or json."
        raise SpecError(f"column {name} is of type {sql_type}", where=where, hint=hint)
    return column if stored == str(sql_type) else f"cast({column} as {stored}) as {column}"


def arrow_metadata(empty: pa.Schema, names: Sequence[str]) -> str:
    """Give what makes a reader of Arrow take these columns, counts of microseconds, for durations.

    Args:
        empty: the schema of a file of the same columns.
        names: the columns that are intervals.
    """
    fields = [field.with_type(pa.duration("us")) if field.name in names else field for field in empty]
    return base64.b64encode(pa.schema(fields).serialize()).decode()


def _stored(sql_type: DuckDBPyType) -> str | None:  # noqa: PLR0911 - a family of types a line
    """Give the type as which values are stored; none if there is no such."""
    if sql_type.id in _NO_TYPE:
        return None
    if sql_type.id == "interval":  # inside another: Arrow's own types are for whole columns only
        return "VARCHAR"
    if sql_type.id not in {"list", "array", "struct", "map", "tuple"}:
        return _EXACT.get(sql_type.id, str(sql_type))
    inner = [(name, _stored(kind)) for name, kind in sql_type.children if isinstance(kind, DuckDBPyType)]
    stored = [kind for _, kind in inner if kind is not None]
    if len(stored) < len(inner):
        return None
    if sql_type.id == "struct":
        return f"STRUCT({', '.join(f'{identifier(name)} {kind}' for name, kind in inner)})"
    if sql_type.id in {"map", "tuple"}:
        return f"{sql_type.id.upper()}({', '.join(stored)})"
    return f"{stored[0]}[{dict(sql_type.children)['size']}]" if sql_type.id == "array" else f"{stored[0]}[]"
