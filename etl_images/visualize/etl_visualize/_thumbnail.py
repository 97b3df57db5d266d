"""Draws a chart small, for lists of reports: without words around it, in either theme."""

import copy

import vl_convert

from etl_visualize._drawing import Drawing, drawable
from etl_visualize._theme import THEMES, vega_config
from etl_visualize._whole import channels, is_composed

_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_WIDTH, _HEIGHT = 320, 160


def thumbnails(drawing: Drawing) -> dict[str, bytes]:
    """Give a PNG a theme by its file's name."""
    if drawing.spec is None:
        return {}
    pictures = {}
    for name, theme in THEMES.items():
        spec = copy.deepcopy(drawing.spec)
        for channel in channels(spec):
            channel["title"] = None
            if isinstance(axis := channel.get("axis"), dict):
                axis["title"] = None
        config = vega_config(theme, _FONT) | {"padding": 6}
        config["axis"] |= {"labelFontSize": 10, "labelLimit": 70}
        config["legend"] |= {"disable": True}
        spec["config"] = config
        if not is_composed(spec):
            spec |= {"width": _WIDTH, "height": _HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
        svg = vl_convert.vegalite_to_svg(drawable(spec), allowed_base_urls=[])
        pictures[f"thumbnail-{name}.png"] = vl_convert.svg_to_png(svg, scale=1.5)
    return pictures
