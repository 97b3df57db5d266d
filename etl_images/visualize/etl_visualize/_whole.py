"""Checks a whole Vega-Lite specification of an author's: its data are the query's, and nothing comes from elsewhere."""

from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from etl_contract import SpecError
from etl_visualize._encoding import Spec, check_column, fields_made
from etl_visualize._table import Table

_OURS = {"data", "datasets"}
_OFFLINE = {"href", "url"}
_COMPOSED = {"hconcat", "vconcat", "concat", "facet", "repeat", "columns"}


def whole(given: dict[str, JsonValue], table: Table, where: str) -> Spec:
    """Give the specification without what we set.

    Raises:
        SpecError: it brings data, a link or a picture, or names a column that the query does not give.
    """
    spec = {name: value for name, value in given.items() if name not in {"$schema", "title"}}
    for path, key, value in _entries(spec):
        place = f"{where}, spec.{'.'.join([*path, key])}"
        if key in _OURS:
            raise SpecError(
                f"'{key}' is not possible here.", where=place, hint="The data are the query's; leave it out."
            )
        if key in _OFFLINE or (key == "mark" and _kind(value) == "image"):
            what = "mark image" if key == "mark" else key
            hint = "A report works offline, and so has neither links nor images from elsewhere; leave it out."
            raise SpecError(f"'{what}' is not possible in a report.", where=place, hint=hint)
    columns = {*table.columns, *fields_made(spec)}
    for path, key, value in _entries(spec):
        if key == "field" and "encoding" in path and isinstance(value, str):
            check_column(value, table, columns, f"{where}, spec.{'.'.join(path)}")
    return spec


def views(spec: Spec, where: str) -> list[tuple[str, Spec]]:
    """Give each view with its place.

    Raises:
        SpecError: there is none.
    """
    found = [
        (f"{where}, {'.'.join([*path, key])}", value)
        for path, key, value in _entries({"spec": spec})
        if isinstance(value, dict) and isinstance(value.get("mark"), str | dict)
    ]
    if not found:
        hint = "Write one, or layer, hconcat, vconcat, concat, facet or repeat with some."
        raise SpecError("there is no 'mark' in it.", where=f"{where}, spec", hint=hint)
    return found


def is_composed(spec: Spec) -> bool:
    """Tell whether it is of several views, whose sizes are their own."""
    return bool(_COMPOSED & spec.keys()) or bool({"row", "column", "facet"} & spec.get("encoding", {}).keys())


def channels(spec: Spec) -> list[dict[str, Any]]:
    """Give every channel and transform that names a column, however deep it stands."""
    found = [value for _, _, value in _entries({"spec": spec}) if isinstance(value, dict)]
    return [value for value in found if isinstance(value.get("field"), str)]


def _kind(mark: JsonValue) -> JsonValue:
    return mark.get("type") if isinstance(mark, dict) else mark


def _entries(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Any]]:  # noqa: ANN401 - JSON
    """Give every key and number with its value and the keys above, however deep it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path, str(key), inner
            yield from _entries(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield path, str(number), inner
            yield from _entries(inner, (*path, str(number)))
