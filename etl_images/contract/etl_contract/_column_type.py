"""Holds the types that a pipeline may declare for a column, in PostgreSQL's words."""

import re
from typing import Annotated

from pydantic import AfterValidator

_SPELLINGS = {
    "smallint": ("int2",),
    "integer": ("int", "int4"),
    "bigint": ("int8",),
    "numeric": ("decimal",),
    "real": ("float4",),
    "double precision": ("double", "float", "float8"),
    "boolean": ("bool",),
    "text": ("string",),
    "character varying": ("varchar",),
    "date": (),
    "time without time zone": ("time",),
    "timestamp without time zone": ("timestamp",),
    "timestamp with time zone": ("timestamptz",),
    "interval": (),
    "uuid": (),
    "jsonb": ("json",),
    "bytea": ("binary",),
}
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in (name, *spellings)}
_TYPE = re.compile(r"([a-z0-9 ]+?)\s*(?:\(\s*(\d{1,4})\s*(?:,\s*(\d{1,4})\s*)?\))?")


def _canonical(text: str) -> str:
    """Write a type as PostgreSQL's `format_type` does."""
    match = _TYPE.fullmatch(text.strip().lower())
    name = match and _NAMES.get(match[1])
    if not match or not name or not _takes(name, match[2], match[3]):
        raise ValueError(f"'{text}' is no type; write one such as text, bigint, numeric(12,2), date or timestamptz")
    if match[2] is None:
        return name
    return f"{name}({match[2]},{match[3] or 0})" if name == "numeric" else f"{name}({match[2]})"


def _takes(name: str, first: str | None, second: str | None) -> bool:
    if name == "numeric":
        return first is None or (0 < int(first) <= 1000 and int(second or 0) <= int(first))  # noqa: PLR2004 - PostgreSQL's
    if name == "character varying":
        return second is None and (first is None or int(first) > 0)
    return first is None


ColumnType = Annotated[str, AfterValidator(_canonical)]
