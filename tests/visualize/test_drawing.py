"""Pictures of charts: really drawn, and nothing in them but the chart."""

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from etl_contract import Chart
from etl_visualize._drawing import draw, slug_of
from tests.visualize.reporting import chart, png_detail, table

ROWS = [
    {
        "hour": hour,
        "origin": origin,
        "delay": hour * 1.5 + len(origin) * number,
        "day": date(2026, 7, 1) + timedelta(days=hour),
    }
    for hour in range(5, 23)
    for number, origin in enumerate(("Newark", "Kennedy", "LaGuardia"))
]
XY: dict[str, Any] = {"x": "hour:O", "y": "delay"}


@pytest.mark.parametrize(
    "given",
    [
        chart("line", title="lines", **XY, color="origin"),
        chart("area", title="stacked areas", x="day", y="delay", color="origin"),
        chart("bar", title="stacked bars", **XY, color="origin"),
        chart("bar", title="histogram", x={"field": "delay", "bin": True}, y="count()"),
        chart("bar", title="horizontal bars", x="mean(delay)", y="origin"),
        chart("boxplot", title="boxplot", x="delay", y="origin", color="origin"),
        chart("rect", title="heatmap", x="hour:O", y="origin", color="mean(delay)"),
        chart("circle", title="bubbles", x="hour", y="delay", color="origin", size="delay"),
        chart({"type": "arc", "innerRadius": 50}, title="ring", theta="sum(delay)", color="origin"),
        chart("tick", title="strips", x="delay", y="origin"),
        chart("line", title="facets", **XY, color="origin", column="origin"),
        chart("errorband", title="band", x="hour", y="delay"),
        chart("text", title="texts", **XY, text="delay"),
    ],
    ids=lambda given: given.title,
)
def test_every_kind_of_chart_is_drawn(given: Chart) -> None:
    """The picture is large enough for print, and not blank."""
    drawing = draw(1, given, table(ROWS), "flights · 2026-07-01")
    width, height, detail = png_detail(drawing.png)

    assert width > 1200
    assert height > 400
    assert detail > 500
    assert drawing.svg.startswith("<svg")


def test_colours_come_from_the_theme() -> None:
    """The first series is blue, the second orange, whatever the chart."""
    svg = draw(1, chart("line", **XY, color="origin"), table(ROWS), "x").svg

    assert "#2548c6" in svg
    assert "#b55600" in svg


def test_a_chart_without_rows_has_no_picture() -> None:
    """It is no error: a day may have no cancelled flight."""
    drawing = draw(3, chart(title="Cancelled flights", x="hour"), table([]), "x")

    assert (drawing.slug, drawing.spec, drawing.svg, drawing.png) == ("03-cancelled-flights", None, "", b"")


def test_many_names_make_a_chart_higher() -> None:
    """Every bar keeps the room that its name needs, up to a limit."""
    few, many, most = (
        draw(1, chart(x="n", y="name"), table([{"name": f"name {n}", "n": n} for n in range(count)]), "x").spec
        for count in (3, 25, 500)
    )

    assert few is not None and many is not None and most is not None  # noqa: PT018 - for mypy
    assert (few["height"], many["height"], most["height"]) == (300, 650, 1000)


def test_values_are_written_as_text() -> None:
    """No value becomes an element of the SVG, which a browser may open by itself."""
    hostile = '"><script>alert(1)</script><image href="https://example.org/x.png"/>'
    svg = draw(1, chart(title=hostile, x="n", y="name"), table([{"name": hostile, "n": 1}]), hostile).svg

    assert "<script" not in svg
    assert "<image" not in svg
    assert "&lt;script&gt;" in svg


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Mean delay by hour", "mean-delay-by-hour"),
        ("Retards à l'arrivée (%)", "retards-a-l-arrivee"),
        ("../../etc/passwd", "etc-passwd"),
        ("遅延", "chart"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_title_names_its_files(title: str, slug: str) -> None:
    """Whatever stands in it, the name is plain and short."""
    assert slug_of(title) == slug


@pytest.mark.parametrize(
    "word", ["a\0b", "a\x01b", "a\ufffeb", "a\u202eb", "</text><script>alert(1)</script>", "]]>&<"]
)
def test_whatever_a_text_holds_it_is_drawn(word: str) -> None:
    """A character that no SVG can have is replaced; one in a value of the warehouse would abort the process."""
    rows = table([{"n": 1, "name": word}])
    given = chart(title=word, x="n", y={"field": "name", "title": word})
    drawing = draw(1, given, rows, word)

    root = ET.fromstring(drawing.svg)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert [element for element in root.iter() if element.tag.endswith("script")] == []
    assert png_detail(drawing.png)[2] > 20
