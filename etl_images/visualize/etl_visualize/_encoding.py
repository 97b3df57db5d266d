"""Completes an author's channels: types from the columns, titles, and labels that can be read."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from altair.utils import parse_shorthand
from pydantic import JsonValue

from etl_contract import Chart, SpecError
from etl_visualize._table import Table

Spec = dict[str, Any]

DISCRETE = {"nominal", "ordinal"}
_VEGA_TYPES: dict[type, str] = {
    int: "quantitative",
    float: "quantitative",
    Decimal: "quantitative",
    timedelta: "quantitative",
    date: "temporal",
    datetime: "temporal",
    time: "ordinal",
}
# The far end of a mark has the type of its near end.
_UNTYPED = {"x2", "y2", "theta2", "radius2", "latitude2", "longitude2", "xError", "xError2", "yError", "yError2"}
_TYPE_OF_COLUMN = (None, "min", "max")  # aggregates that give what the column holds
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ENDS_WITH_ORDER = re.compile(r"\border\s+by\b[^()]*$", re.IGNORECASE)
_LONG_LABEL = 5  # more characters than this stand aslant under a narrow band
_FEW_DAYS = 8  # Vega marks hours between so few


def encode(chart: Chart, table: Table, where: str) -> dict[str, Spec]:
    """Give the chart's channels, complete.

    Raises:
        SpecError: a short text cannot be read, or neither the query nor a transform gives the column.
    """
    columns = {*table.columns, *fields_made(list(chart.transform))}
    channels = {
        name: _complete(name, _definition(value, table, f"{where}, encoding.{name}"), table, columns, where)
        for name, value in chart.encoding.items()
    }
    for name in {"x", "y"} & channels.keys():
        channels[name] = _readable(name, channels[name], chart.sql, table)
    _stack_as_listed(channels)
    return channels


def days(parts: Iterable[Mapping[str, Any]], table: Table) -> list[str]:
    """Name the columns that hold days and that a channel or a transform reads as time."""
    fields = {part.get("field") for part in parts if part.get("type") == "temporal" or "timeUnit" in part}
    return sorted(name for name in table.columns if name in fields and all(_is_day(row[name]) for row in table.rows))


def _definition(value: str | dict[str, JsonValue], table: Table, where: str) -> Spec:
    """Read the short form, wherever it stands: `hour:O`, {field: hour:O}, {field: hour}."""
    given: Spec = {"field": value} if isinstance(value, str) else dict(value)
    short = given.get("field")
    if not isinstance(short, str) or short in table.columns:
        return given
    try:
        read = parse_shorthand(short)
    except ValueError as error:
        hint = "Write the column and a type, such as 'hour:O' or 'mean(delay):Q'."
        raise SpecError(str(error).splitlines()[0], where=where, hint=hint) from error
    del given["field"]
    return read | given


def _complete(name: str, channel: Spec, table: Table, columns: set[str], where: str) -> Spec:
    field = channel.get("field")
    if not isinstance(field, str):
        return {"title": "Count", "type": "quantitative"} | channel if channel.get("aggregate") == "count" else channel
    check_column(field, table, columns, f"{where}, encoding.{name}")
    if name not in _UNTYPED and "condition" not in channel:
        channel = {"type": _type(channel, table)} | channel
    if not {"aggregate", "bin", "timeUnit"} & channel.keys():
        channel = {"title": title_of(field)} | channel
    return channel


def title_of(column: str) -> str:
    """Give a column's name for people."""
    return column.replace("_", " ").strip().capitalize()


def check_column(field: str, table: Table, columns: set[str], where: str) -> None:
    """Refuse a column that is not there, with the one that was meant.

    Raises:
        SpecError: neither the query nor a transform gives it.
    """
    plain = field.replace("\\", "")
    if {plain, re.split(r"[.\[]", field)[0]} & columns:
        return
    close = difflib.get_close_matches(plain, columns, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"It gives {', '.join(table.columns)}."
    raise SpecError(f"the query gives no column '{plain}'.", where=where, hint=hint)


def _type(channel: Spec, table: Table) -> str:
    if channel.get("bin") or channel.get("aggregate") not in _TYPE_OF_COLUMN:
        return "quantitative"
    if "timeUnit" in channel:
        return "temporal"
    return _VEGA_TYPES.get(table.columns.get(channel["field"], str), "nominal")


def _readable(name: str, channel: Spec, sql: str, table: Table) -> Spec:
    """Keep the order that the query gives its names, lean long labels, and write days as days."""
    values = {str(row.get(channel.get("field", ""), "")) for row in table.rows}
    axis: Spec = {}
    if channel.get("type") == "nominal" and _ENDS_WITH_ORDER.search(sql):
        channel = {"sort": None} | channel
    if channel.get("type") in DISCRETE and name == "x" and max(map(len, values), default=0) > _LONG_LABEL:
        axis["labelAngle"] = -35
    if channel.get("type") == "temporal" and values and all(map(_is_day, values)):
        if _span(values) <= _FEW_DAYS:
            axis |= {"format": "%b %-d", "tickCount": "day"}
        elif len(values) > _FEW_DAYS:
            axis["format"] = "%b %-d"
    given = channel.get("axis", {})
    if not axis or not isinstance(given, dict) or "timeUnit" in channel:
        return channel
    return channel | {"axis": axis | given}


def _span(days: set[str]) -> int:
    """Count the days from the first to the last; a text may look like a day and be none, such as 2026-02-30."""
    try:
        return (date.fromisoformat(max(days)) - date.fromisoformat(min(days))).days
    except ValueError:
        return _FEW_DAYS + 1


def _stack_as_listed(channels: dict[str, Spec]) -> None:
    """Stack in the order of the legend, where its author gave one."""
    color = channels.get("color", {})
    domain = (color.get("scale") or {}).get("domain")
    if color.get("type") in DISCRETE and isinstance(domain, list) and not {"sort", "order"} & {*color, *channels}:
        color["sort"] = domain
        channels["order"] = {"field": f"color_{color['field']}_sort_index", "type": "quantitative"}


def fields_made(value: JsonValue | list[dict[str, JsonValue]]) -> Iterator[str]:
    """Give the names that transforms make: whatever stands under `as`, and fold's own."""
    if isinstance(value, dict):
        made = value.get("as", ["key", "value"] if "fold" in value else [])
        yield from (name for name in (made if isinstance(made, list) else [made]) if isinstance(name, str))
        yield from (name for part in value.values() for name in fields_made(part))
    elif isinstance(value, list):
        yield from (name for part in value for name in fields_made(part))


def _is_day(value: JsonValue) -> bool:
    return value is None or (isinstance(value, str) and _DAY.fullmatch(value) is not None)
