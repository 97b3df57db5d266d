"""Figures and tables on the page and in the JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from etl_contract import SpecError
from etl_visualize.__main__ import visualize
from tests.visualize.reporting import KnownWarehouse, chart, task
from tests.visualize.test_page import HOSTILE, Page

ROWS = [{"origin": "JFK", "flights": 1234, "mean_delay": 12.345}, {"origin": HOSTILE, "flights": 5, "mean_delay": None}]
FIGURE = {"label": "Departures", "sql": "f", "better": "higher"}
TABLE = {"title": "Routes", "sql": "t", "formats": {"mean_delay": ".1f"}}
ANSWERS: dict[str, Any] = {"f": [{"n": 110}], "f before": [{"n": 100}], "t": ROWS, "c": []}


def _published(folder: Path, **parts: Any) -> tuple[Page, dict[str, Any]]:  # noqa: ANN401
    visualize(task(folder=folder / "run", **parts), KnownWarehouse(ANSWERS).connect)
    told: dict[str, Any] = json.loads((folder / "run" / "report.json").read_text())
    return Page((folder / "run" / "index.html").read_text()), told


def test_a_figure_is_on_the_page_and_in_the_json(tmp_path: Path) -> None:
    """With its change, for eyes and for ears."""
    page, told = _published(tmp_path, figures=[FIGURE | {"unit": "flights"}])

    assert "Departures 110 flights 10.0% more before: 100" in " ".join(page.text.split())
    assert told["figures"] == [
        {"label": "Departures", "value": 110, "previous": 100, "difference": 10, "unit": "flights", "text": "110"}
    ]


def test_a_table_is_on_the_page_and_in_the_json(tmp_path: Path) -> None:
    """Its numbers are written for people on the one, and exact in the other; its texts are only texts."""
    page, told = _published(tmp_path, tables=[TABLE])

    assert "Origin Flights Mean delay" in " ".join(page.text.split())
    assert "JFK 1,234 12.3" in " ".join(page.text.split())
    assert HOSTILE in page.text
    assert [cell.get("class") for cell in page.all("td")[:3]] == [None, "number", "number"]
    assert told["tables"] == [
        {"title": "Routes", "columns": ["origin", "flights", "mean_delay"], "truncated": False, "data": ROWS}
    ]


def test_a_table_shows_its_first_rows_and_says_so(tmp_path: Path) -> None:
    """Nothing is left out in silence."""
    page, told = _published(tmp_path, tables=[TABLE | {"rows": 1}])

    assert "The first 1 rows; there are more." in page.text
    assert told["tables"][0]["truncated"]
    assert len(told["tables"][0]["data"]) == 1


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    """As a chart does."""
    page, _ = _published(tmp_path, tables=[{"title": "Routes", "sql": "c"}])

    assert "No rows in this interval" in page.text


def test_the_problems_of_all_parts_are_told_at_once(tmp_path: Path) -> None:
    """A person mends them once."""
    given = task(
        chart(sql="t", x="orign"),
        folder=tmp_path / "run",
        figures=[FIGURE | {"sql": "t"}],
        tables=[TABLE | {"formats": {"mean_dealy": ".1f"}}],
    )
    with pytest.raises(SpecError) as told:
        visualize(given, KnownWarehouse(ANSWERS).connect)

    assert told.value.problem.splitlines() == [
        "3 parts of the report cannot be made:",
        (
            "  figure 1 'Departures': the query gives 2 rows; a figure is one number. "
            "Aggregate in the query, or make it a table."
        ),
        "  chart 1 'Flights', encoding.x: the query gives no column 'orign'. Did you mean 'origin'?",
        "  table 1 'Routes', formats: the query gives no column 'mean_dealy'. Did you mean 'mean_delay'?",
    ]
