"""Holds the one look of every chart, in light and dark; templates/report.css holds the page's."""

from typing import Any, Literal, NamedTuple

Config = dict[str, Any]


class Theme(NamedTuple):
    """Colours; `series` are told apart by every kind of colour vision, and from the card behind (see the tests)."""

    card: str
    text: str
    muted: str
    grid: str
    series: tuple[str, ...]
    ramp: tuple[str, str]
    steps: tuple[str, ...]
    diverging: tuple[str, str, str]


THEMES: dict[Literal["light", "dark"], Theme] = {
    "light": Theme(
        card="#ffffff",
        text="#1b2330",
        muted="#5a6575",
        grid="#e9ecf1",
        series=("#2548c6", "#b55600", "#20a493", "#750e50", "#b29003", "#1e7aa7", "#9973dc", "#f1637a"),
        ramp=("#c9d9f8", "#16307f"),
        steps=("#a9c8fd", "#6893ee", "#3a58c6", "#1b2670"),
        diverging=("#2548c6", "#eef0f4", "#b55600"),
    ),
    "dark": Theme(
        card="#171c25",
        text="#e8ecf3",
        muted="#9aa6b8",
        grid="#2a3140",
        series=("#1e82e0", "#ed7b1c", "#57f8e0", "#b45294", "#decd60", "#73bdfb", "#aa8dc2", "#f7a1a9"),
        ramp=("#2a467f", "#b7d6ff"),
        steps=("#35528f", "#5b87d8", "#93bcff", "#dbe9ff"),
        diverging=("#1e82e0", "#2a3140", "#ed7b1c"),
    ),
}


def vega_config(theme: Theme, font: str) -> Config:
    """Give Vega-Lite's configuration for a theme."""
    first = theme.series[0]
    return {
        "background": theme.card,
        "font": font,
        "padding": 4,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "color": theme.text,
            "fontSize": 17,
            "fontWeight": 600,
            "offset": 14,
            "subtitleColor": theme.muted,
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
        },
        "axis": {
            "domain": False,
            "gridColor": theme.grid,
            "labelColor": theme.muted,
            "labelFontSize": 11,
            "labelOverlap": True,
            "labelPadding": 6,
            "labelSeparation": 8,
            "ticks": False,
            "titleColor": theme.muted,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "titlePadding": 10,
        },
        "axisDiscrete": {"grid": False, "labelAngle": 0},
        "axisXTemporal": {"grid": False},
        "legend": {
            "labelColor": theme.text,
            "labelFontSize": 11,
            "orient": "top",
            "symbolSize": 70,
            "symbolStrokeWidth": 0,
            "symbolType": "circle",
            "titleColor": theme.muted,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "titleOrient": "left",
            "titlePadding": 10,
        },
        "header": {"labelColor": theme.text, "titleColor": theme.muted},
        "range": {
            "category": list(theme.series),
            "diverging": list(theme.diverging),
            "heatmap": list(theme.ramp),
            "ordinal": {"scheme": list(theme.steps)},
            "ramp": list(theme.ramp),
        },
        "mark": {"color": first},
        "bar": {"discreteBandSize": {"band": 0.78}},
        "line": {"strokeCap": "round", "strokeJoin": "round", "strokeWidth": 2.25},
        "area": {"line": True, "opacity": 0.7},
        "point": {"filled": True, "opacity": 0.7, "size": 36},
        "circle": {"opacity": 0.7, "size": 36},
        "square": {"opacity": 0.7, "size": 36},
        "rule": {"color": theme.muted},
        "text": {"color": theme.text},
        "boxplot": {
            "box": {"opacity": 0.85},
            "median": {"color": theme.card},
            "outliers": {"opacity": 0.5, "size": 16},
            "size": 22,
        },
    }
