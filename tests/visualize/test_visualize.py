"""The stage as a whole, with a warehouse that knows its answers."""

import json
from pathlib import Path

import pytest

from etl_contract import Outcome, SpecError, Unavailable
from etl_visualize.__main__ import visualize
from etl_visualize._table import Table
from tests.visualize.reporting import KnownWarehouse, chart, task

ROWS = [{"hour": 5, "delay": 3.5}, {"hour": 6, "delay": None}]


def test_a_report_is_published_under_its_address(tmp_path: Path) -> None:
    """The result names the address, the rows read and the bytes written."""
    folder = tmp_path / "flights" / "run"
    given = task(chart(title="Delay", sql="a", x="hour", y="delay"), chart(sql="b", x="hour"), folder=folder)
    result = visualize(given, KnownWarehouse({"a": ROWS, "b": []}).connect)

    assert result.outcome is Outcome.done
    assert result.report_uri == given.report_uri
    assert (result.rows_in, result.bytes_out) == (2, sum(file.stat().st_size for file in folder.iterdir()))
    assert sorted(file.name for file in folder.iterdir()) == [
        "01-delay.png",
        "01-delay.svg",
        "index.html",
        "report.json",
        "summary.json",
        "thumbnail-dark.png",
        "thumbnail-light.png",
    ]


def test_all_charts_problems_are_told_at_once(tmp_path: Path) -> None:
    """Whether SQL or Vega-Lite refuses it; and nothing is published."""
    charts = [
        chart(title="Delay", sql="a", x="huor"),
        chart(title="Speed", sql="b", x="hour"),
        chart("liine", title="Wind", sql="a", x="hour"),
        chart(title="Good", sql="a", x="hour"),
    ]
    warehouse = KnownWarehouse({"a": ROWS, "b": SpecError("no such table.")})
    with pytest.raises(SpecError) as caught:
        visualize(task(*charts, folder=tmp_path / "run"), warehouse.connect)

    lines = caught.value.problem.splitlines()
    assert lines[0] == "3 parts of the report cannot be made:"
    assert lines[1] == ("  chart 1 'Delay', encoding.x: the query gives no column 'huor'. Did you mean 'hour'?")
    assert lines[2] == "  chart 2 'Speed': no such table."
    assert lines[3].startswith("  chart 3 'Wind', mark, type: 'liine' is an invalid value")
    assert not (tmp_path / "run").exists()


def test_one_problem_keeps_its_parts(tmp_path: Path) -> None:
    """What is wrong, where, and what to do stay apart."""
    with pytest.raises(SpecError) as caught:
        visualize(task(chart(sql="a", x="huor"), folder=tmp_path), KnownWarehouse({"a": ROWS}).connect)

    assert caught.value.where == "chart 1 'Flights', encoding.x"
    assert caught.value.hint == "Did you mean 'hour'?"


def test_a_chart_of_too_many_rows_costs_only_itself(tmp_path: Path) -> None:
    """The report stands, and says why there is no chart."""
    warehouse = KnownWarehouse({"a": Table({}, [], more=True), "b": ROWS})
    visualize(task(chart(sql="a", x="hour"), chart(sql="b", x="hour"), folder=tmp_path / "run"), warehouse.connect)

    charts = json.loads((tmp_path / "run" / "report.json").read_text())["charts"]
    assert [(c["rows"], c["truncated"]) for c in charts] == [(None, True), (2, False)]


def test_a_report_may_have_no_charts(tmp_path: Path) -> None:
    """It then tells the way of the rows."""
    visualize(task(folder=tmp_path / "run"), KnownWarehouse({}).connect)

    assert "This pipeline has no charts" in (tmp_path / "run" / "index.html").read_text()


def test_nothing_is_asked_where_nothing_can_be_written(tmp_path: Path) -> None:
    """An address of another kind is refused before the warehouse is."""
    given = task(chart(x="hour"), folder=tmp_path, report_uri="s3://reports/x")
    with pytest.raises(SpecError, match="a report is written to file:// only"):
        visualize(given, KnownWarehouse({}).connect)


def test_a_missing_address_is_worth_another_try(tmp_path: Path) -> None:
    """The secret is read from its file, and the error says which."""
    with pytest.raises(Unavailable, match="the warehouse's address is not there") as caught:
        visualize(task(chart(x="hour"), folder=tmp_path))

    assert caught.value.where == "/run/secrets/warehouse/uri"
