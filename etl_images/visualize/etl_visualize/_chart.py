"""Completes an author's chart to valid Vega-Lite, with what makes it read well and answer to the pointer."""

import difflib
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import altair as alt
from jsonschema import ValidationError
from pydantic import JsonValue

from etl_contract import Chart, SpecError
from etl_visualize._encoding import DISCRETE, Spec, days, encode
from etl_visualize._table import Table
from etl_visualize._whole import channels, views, whole

# Marks that Vega-Lite makes of several; every other is an alt.MarkDef.
_COMPOSITE = {"boxplot": alt.BoxPlotDef, "errorbar": alt.ErrorBarDef, "errorband": alt.ErrorBandDef}
_OFFLINE = {"href", "url", "mark image"}
_SMALL = 0.01


def vega_lite(chart: Chart, table: Table, where: str) -> Spec:
    """Give a chart as a Vega-Lite specification without size and theme, which depend on where it is shown.

    Raises:
        SpecError: Vega-Lite knows no such mark, channel, type, ...; or the query gives no such column.
    """
    if chart.spec is not None:
        spec = _whole(chart.spec, table, where)
        spec.setdefault("description", f"{chart.title}: {len(table.rows)} rows.")
        spec["config"] = _tooltip_format(table) | spec.get("config", {})
    else:
        spec = _completed(chart, table, where)
        spec["description"] = describe(chart, spec, table)
        spec["config"] = _tooltip_format(table)  # in place of Altair's look
    spec["data"] = {"values": table.rows}
    if as_days := days(channels(spec), table):
        # JavaScript reads '2013-07-01' as midnight in Greenwich, and so shows June 30 in New York.
        spec["data"]["format"] = {"parse": dict.fromkeys(as_days, "date:'%Y-%m-%d'")}
    return spec


def _completed(chart: Chart, table: Table, where: str) -> Spec:
    """Complete a chart of mark, encoding and transform."""
    spec: Spec = {"mark": _mark(chart, where), "encoding": encode(chart, table, where)}
    if chart.transform:
        spec["transform"] = list(chart.transform)
    _highlight(spec)
    return _validated(partial(alt.Chart, alt.Data(values=[])), spec, where)


def _whole(given: dict[str, JsonValue], table: Table, where: str) -> Spec:
    """Check a whole specification: each view by itself, for the sake of what is told, then all."""
    spec = whole(given, table, where)
    for path, view in views(spec, where):
        mark = view["mark"] if isinstance(view["mark"], dict) else {"type": view["mark"]}
        _validated(_COMPOSITE.get(str(mark.get("type")), alt.MarkDef), mark, f"{path}, mark")
        parts: Spec = {name: view[name] for name in ("mark", "encoding", "transform") if name in view}
        _validated(partial(alt.Chart, alt.Data(values=[])), parts, path)
    _validated(_from_dict, {**spec, "data": {"values": []}}, f"{where}, spec")
    return spec


def _from_dict(**parts: Any) -> Any:  # noqa: ANN401 - whichever of Altair's charts it is
    return alt.Chart.from_dict(parts)


def describe(chart: Chart, spec: Spec, table: Table) -> str:
    """Say in words what the chart shows, for those who do not see it."""
    parts = [f"{name} {words}" for name, channel in spec["encoding"].items() if (words := _words(channel))]
    return f"{chart.title}: {spec['mark']['type']} chart, {', '.join(parts)}; {len(table.rows)} rows."


def distinct(spec: Spec, channel: str) -> set[str]:
    """Give the labels of a discrete channel, each once."""
    definition = spec.get("encoding", {}).get(channel, {})
    if definition.get("type") not in DISCRETE or {"bin", "timeUnit"} & definition.keys():
        return set()
    return {str(row.get(definition.get("field"), "")) for row in spec["data"]["values"]}


def _mark(chart: Chart, where: str) -> Spec:
    mark: Spec = dict(chart.mark) if isinstance(chart.mark, dict) else {"type": chart.mark}
    kind = str(mark.get("type"))
    if refused := sorted(_OFFLINE & {*chart.encoding, *mark, *_keys(list(chart.transform)), f"mark {kind}"}):
        hint = "A report works offline, and so has neither links nor images from elsewhere; leave it out."
        raise SpecError(f"'{refused[0]}' is not possible in a report.", where=where, hint=hint)
    _validated(_COMPOSITE.get(kind, alt.MarkDef), mark, f"{where}, mark")
    if kind in {"line", "area"} and "tooltip" not in mark:
        # Vega would show a path's first row wherever the pointer meets it, so points answer instead, seen or not.
        mark["point"] = {"tooltip": True} | _point(mark.get("point"))
    elif kind not in _COMPOSITE:
        mark.setdefault("tooltip", True)
    if kind == "bar" and "color" not in chart.encoding:
        mark.setdefault("cornerRadiusEnd", 3)
    return mark


def _keys(value: JsonValue | list[dict[str, JsonValue]]) -> Iterator[str]:
    """Give every key, however deep it stands."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        yield from (key for part in value for key in _keys(part))


def _point(asked: JsonValue) -> Spec:
    if isinstance(asked, dict):
        return asked
    return {} if asked is True else {"opacity": 0, "size": 80}


def _highlight(spec: Spec) -> None:
    """Let a click on the legend bring one series forward."""
    color, opacities = spec["encoding"].get("color", {}), ("fillOpacity", "strokeOpacity")
    if color.get("type") not in DISCRETE or "field" not in color or color.get("legend", {}) is None:
        return
    if spec["mark"]["type"] in _COMPOSITE or spec["encoding"].keys() & {*opacities, "opacity"}:
        return
    spec["params"] = [{"name": "series", "select": {"type": "point", "fields": [color["field"]]}, "bind": "legend"}]
    # Not `opacity`: that would make the unseen points of a line seen.
    spec["encoding"] |= {name: {"condition": {"param": "series", "value": 1}, "value": 0.12} for name in opacities}


def _validated(model: Callable[..., Any], parts: Spec, where: str) -> Spec:
    """Have Altair check a part of a specification against Vega-Lite's schema."""
    try:
        return cast("Spec", model(**parts).to_dict())
    except ValidationError as error:  # Altair's own, with words for people, is one, too
        place = ".".join(str(part) for part in error.absolute_path)
        problem = str(error).strip().splitlines()[0].rstrip(".")
        raise SpecError(f"{problem}.", where=f"{where}, {place}".rstrip(", "), hint=_remedy(str(error))) from error


def _remedy(message: str) -> str:
    unknown = re.search(r"has no parameter named '(\w+)'", message)
    if unknown is None:
        return "See https://vega.github.io/vega-lite/docs."
    words = re.findall(r"\w+", message.partition("Existing parameter names are:")[2].partition("See the help")[0])
    close = difflib.get_close_matches(unknown[1], words, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are {', '.join(sorted(words))}."


def _tooltip_format(table: Table) -> Spec:
    """Round what a tooltip tells, where no value is so small that this would change it."""
    values = (abs(value) for row in table.rows for value in row.values() if isinstance(value, float) and value)
    return {"tooltipFormat": {"numberFormat": ",.3~f"}} if min(values, default=1) >= _SMALL else {}


def _words(channel: Spec) -> str:
    what = channel.get("title") or channel.get("field") or ""
    aggregate = channel.get("aggregate")
    what = " ".join(what) if isinstance(what, list) else str(what)
    return f"{aggregate} of {what}" if isinstance(aggregate, str) and "title" not in channel else what
