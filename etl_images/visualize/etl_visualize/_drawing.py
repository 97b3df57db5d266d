"""Draws a chart as SVG and PNG, as it is shared and printed; the page draws it again, alive."""

import re
import unicodedata
from typing import Any, NamedTuple

import vl_convert

from etl_contract import Chart, SpecError
from etl_visualize._chart import distinct, vega_lite
from etl_visualize._encoding import Spec
from etl_visualize._table import Table
from etl_visualize._theme import THEMES, vega_config
from etl_visualize._whole import is_composed

# vl-convert brings Liberation Sans, which has Arial's metrics: text takes the same room wherever the SVG is opened.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_FACETS = {"row", "column", "facet"}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDTH, _HEIGHT = 760, 300
_FACET_WIDTH, _FACET_HEIGHT = 220, 200
_LETTER, _SYMBOL = 6.5, 34  # widths in a legend
_BAND = 26  # height of a horizontal bar with its gap
_MOST_HEIGHT = 1000
_SCALE = 2


class Drawing(NamedTuple):
    """A chart as it is published; without rows there is no specification, no SVG and no PNG."""

    slug: str
    chart: Chart
    table: Table
    spec: Spec | None = None
    legend_entry: int = 0  # the room that an entry of the legend takes, in pixels
    svg: str = ""
    png: bytes = b""


def draw(number: int, chart: Chart, table: Table, subtitle: str) -> Drawing:
    """Draw a chart.

    Raises:
        SpecError: it is no valid Vega-Lite.
    """
    slug = f"{number:02}-{slug_of(chart.title)}"
    if not table.rows:
        return Drawing(slug, chart, table)
    where = f"chart {number} '{chart.title}'"
    spec = vega_lite(chart, table, where)
    spec = _size(spec) | spec
    entry = _SYMBOL + int(_LETTER * max(map(len, distinct(spec, "color")), default=0))
    config = vega_config(THEMES["light"], _FONT) | {"padding": 18}
    config |= spec["config"]
    config["legend"] |= {"columns": max(1, (_WIDTH - 100) // entry)}
    titled: Spec = {**spec, "title": {"text": chart.title, "subtitle": subtitle}, "config": config}
    if spec.get("width") == "container":
        titled |= {"width": _WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
    try:
        svg = vl_convert.vegalite_to_svg(drawable(titled), allowed_base_urls=[])
    except ValueError as error:
        problem = str(error).strip().splitlines()[0]
        hint = "Try the chart in https://vega.github.io/editor."
        raise SpecError(f"Vega-Lite cannot draw it: {problem}", where=where, hint=hint) from error
    return Drawing(slug, chart, table, spec, entry, svg, vl_convert.svg_to_png(svg, scale=_SCALE))


def slug_of(title: str) -> str:
    """Give a title as a file's name."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_title).strip("-")[:60].strip("-") or "chart"


def drawable(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Replace characters that no SVG can have, of which one would abort the process."""
    if isinstance(value, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {drawable(key): drawable(inner) for key, inner in value.items()}
    return [drawable(inner) for inner in value] if isinstance(value, list) else value


def _size(spec: Spec) -> Spec:
    """Fill the card's width, and give many names the height that they need; facets have a size of their own."""
    if _FACETS & spec.get("encoding", {}).keys():
        return {"width": _FACET_WIDTH, "height": _FACET_HEIGHT}
    if is_composed(spec):
        return {}
    height = min(_MOST_HEIGHT, max(_HEIGHT, _BAND * len(distinct(spec, "y"))))
    return {"width": "container", "height": height, "autosize": {"type": "fit-x", "contains": "padding"}}
