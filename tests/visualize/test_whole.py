"""A whole Vega-Lite specification: checked, drawn, and shut in."""

from typing import Any

import pytest

from etl_contract import Chart, SpecError
from etl_visualize._drawing import draw
from tests.visualize.reporting import png_detail, table

ROWS = table([{"carrier": name, "delay": delay, "day": "2026-07-01"} for name, delay in (("AA", 3), ("UA", 9.5))])
X: dict[str, Any] = {"field": "delay", "type": "quantitative"}
Y: dict[str, Any] = {"field": "carrier", "type": "nominal"}
LAYERS: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "encoding": {"y": Y},
    "layer": [
        {"mark": "bar", "encoding": {"x": X}},
        {"mark": {"type": "text", "dx": 8}, "encoding": {"x": X, "text": {"field": "delay"}}},
    ],
}


def _chart(spec: dict[str, Any]) -> Chart:
    return Chart(title="Delay", sql="select", spec=spec)


@pytest.mark.parametrize(
    "spec",
    [
        LAYERS,
        {"hconcat": [{"mark": "bar", "encoding": {"x": X, "y": Y}}, {"mark": "point", "encoding": {"x": X}}]},
        {"facet": {"row": Y}, "spec": {"mark": "bar", "encoding": {"x": X}}},
        {
            "mark": "bar",
            "transform": [{"calculate": "datum.delay * 2", "as": "twice"}],
            "encoding": {"x": X | {"field": "twice"}},
        },
        {"mark": "point", "params": [{"name": "p", "select": "interval"}], "encoding": {"x": X, "y": Y}},
    ],
    ids=["layers", "side by side", "facets", "calculated", "selection"],
)
def test_a_whole_specification_is_drawn(spec: dict[str, Any]) -> None:
    """Layers, several views, transforms and selections, over the query's rows."""
    drawing = draw(1, _chart(spec), ROWS, "flights · 2026-07-01")
    _, _, detail = png_detail(drawing.png)

    assert drawing.spec is not None
    assert drawing.spec["data"]["values"] == ROWS.rows
    assert "$schema" not in drawing.spec
    assert drawing.svg.startswith("<svg")
    assert detail > 20


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            LAYERS | {"data": {"url": "https://example.org/x.json"}},
            "spec.data: 'data' is not possible here. The data are",
        ),
        (
            {"layer": [{"mark": "bar", "data": {"url": "https://example.org/x.csv"}}]},
            "spec.layer.1.data: 'data' is not possible here",
        ),
        (
            {"mark": "bar", "encoding": {"href": {"field": "delay"}}},
            "spec.encoding.href: 'href' is not possible in a report",
        ),
        ({"mark": {"type": "image"}, "encoding": {"x": X}}, "spec.mark: 'mark image' is not possible in a report"),
        (
            {"mark": "bar", "encoding": {"x": X | {"field": "dealy"}}},
            "the query gives no column 'dealy'. Did you mean 'delay'?",
        ),
        ({"mark": "baar", "encoding": {"x": X}}, "chart 1 'Delay', spec, mark, type: 'baar' is an invalid value"),
        ({"marks": "bar"}, "chart 1 'Delay', spec: there is no 'mark' in it. Write one, or layer"),
    ],
    ids=["data", "data of a layer", "link", "picture", "column", "mark", "no chart"],
)
def test_what_a_report_cannot_have_is_refused(spec: dict[str, Any], problem: str) -> None:
    """Nothing comes from elsewhere; a slip is told with its place."""
    with pytest.raises(SpecError) as told:
        draw(1, _chart(spec), ROWS, "x")

    assert problem in str(told.value)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "mark: required, but not there; or write a whole 'spec'"),
        ({"mark": "bar"}, "encoding: required, but not there; or write a whole 'spec'"),
        ({"mark": "bar", "spec": LAYERS}, "spec: stands alone; put mark, encoding and transform into it"),
    ],
)
def test_a_chart_is_short_or_whole(given: dict[str, Any], problem: str) -> None:
    """And says which is missing."""
    with pytest.raises(ValueError, match=problem):
        Chart.model_validate({"title": "Delay", "sql": "select", **given})
