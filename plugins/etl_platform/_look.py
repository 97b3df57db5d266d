"""Looks at a source before there is a pipeline: its columns, what types their values could be, and some rows."""

import re
from contextlib import nullcontext
from typing import Any

from docker import APIClient

from etl_platform._new import Wish, source_of
from etl_platform._pipeline import Pipeline
from etl_platform._settings import Settings
from etl_platform._try import Sample, try_pipeline

_LOOKED_AT = 500
_KEPT = 3
_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)"
_CLOCK = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?"
# The first type whose pattern every value has; a number with a leading zero is a code, and so is text.
_PATTERNS = {
    "bigint": r"-?(0|[1-9]\d{0,17})",
    "double": r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?",
    "boolean": r"true|false",
    "date": r"\d{4}-\d\d-\d\d",
    "timestamptz": _CLOCK + _OFFSET,
    "timestamp": _CLOCK,
}


def look(wish: Wish, client: APIClient, settings: Settings) -> Wish:
    """Give the wish with the source's columns, types as the first rows show them, and a few rows.

    Raises:
        StageError: the source cannot be read; says why.
    """
    fields: dict[str, Any] = {
        "name": wish.name,
        "timezone": wish.timezone,
        "extract": {wish.name: source_of(wish.source)},
        "load": {wish.name: {"table": wish.name, "mode": "replace"}},
    }
    sample = Sample(rows=_LOOKED_AT, shown=_LOOKED_AT)
    trial = try_pipeline(Pipeline.model_validate(fields), sample, client, settings, lambda _: nullcontext())
    (described,) = trial.datasets
    rows = [tuple("" if value is None else value for value in row) for row in described["first_rows"]]
    names = [column["name"] for column in described["columns"]]
    types = [type_of([row[number] for row in rows]) for number in range(len(names))]
    return wish._replace(columns=dict(zip(names, types, strict=True)), rows=tuple(rows[:_KEPT]), known=True)


def type_of(values: list[str]) -> str:
    """Say what type all values could be; text, where there is none or they differ."""
    given = [value for value in values if value]
    return next(
        (name for name, pattern in _PATTERNS.items() if given and all(re.fullmatch(pattern, each) for each in given)),
        "text",
    )
