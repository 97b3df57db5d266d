"""A report in short, as lists of many read it."""

import re
from pathlib import Path

from etl_contract import Check, Figure, OnBreach, ReportSummary, StageUse
from etl_visualize._drawing import draw
from etl_visualize._figure import Measured
from etl_visualize._page import page, report_files
from etl_visualize._report import Report
from tests.visualize.reporting import MADE, chart, dataset, load, png_detail, table, task

ROWS = table([{"hour": hour, "delay": hour * 1.5} for hour in range(24)])
CHART = chart(title="Delay", x="hour:O", y="delay")
USE = StageUse(
    stage="transform",
    rows_in=120,
    rows_out=100,
    rows_quarantined=7,
    bytes_in=1_000_000,
    bytes_out=2_000_000,
    seconds=2.5,
    cpu_seconds=1.25,
    peak_memory=300_000_000,
    memory_limit=1_000_000_000,
)


def _text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_summary_has_what_a_list_shows(tmp_path: Path) -> None:
    """Its rows are those that were loaded; figures come as they are written."""
    delay = Figure(label="Mean delay", sql="select", format=".1f", unit="min", better="lower")
    checks = [
        Check(dataset="flights", rule=rule, on_breach=OnBreach.warn, rows=9, breaches=n)
        for rule, n in (("a", 0), ("b", 2))
    ]
    given = task(CHART, folder=tmp_path, loads=[load("mart.flights", 100, 90, 10, 0)], checks=checks)
    report = Report(given, MADE, [Measured(delay, 9.0, 12.0)], [draw(1, CHART, ROWS, "x")])
    told = ReportSummary.model_validate_json(report_files(report)["summary.json"])

    assert (told.title, told.pipeline, str(told.interval), told.made) == (
        "New York departures",
        "flights",
        "2026-07-01",
        MADE,
    )
    assert (told.rows, told.rows_quarantined, told.breaches) == (100, 0, 1)
    (headline,) = told.figures
    assert (headline.label, headline.text, headline.unit) == ("Mean delay", "9.0", "min")
    assert (headline.change, headline.direction, headline.news) == ("25.0%", "down", "good")
    assert told.thumbnail == "Delay: bar chart, x Hour, y Delay; 24 rows."


def test_the_thumbnails_are_small_pictures_of_the_first_chart_with_rows(tmp_path: Path) -> None:
    """One a theme; a report without a chart has none, and says so."""
    drawings = [draw(1, CHART, table([]), "x"), draw(2, CHART, ROWS, "x")]
    files = report_files(Report(task(CHART, CHART, folder=tmp_path), MADE, drawings=drawings))
    without = report_files(Report(task(CHART, folder=tmp_path), MADE, drawings=drawings[:1]))

    for theme in ("light", "dark"):
        width, height, detail = png_detail(files[f"thumbnail-{theme}.png"])
        assert (width, height) == (480, 240)
        assert detail > 20
    assert files["thumbnail-light.png"] != files["thumbnail-dark.png"]
    assert len(files["thumbnail-light.png"]) < 80_000
    assert sorted(without) == ["index.html", "report.json", "summary.json"]
    assert ReportSummary.model_validate_json(without["summary.json"]).thumbnail == ""


def test_the_rows_way_tells_what_did_not_go_on(tmp_path: Path) -> None:
    """Rows that the transform left out, and those that a check set aside, stand apart."""
    aside = load("mart.flights", 100, 100, 0, 0).model_copy(update={"rows_quarantined": 7})
    inputs = [
        dataset("flights", "extract", 120),
        dataset("flights", "transform", 100),
        dataset("more", "transform", 200),
    ]
    text = _text(page(Report(task(folder=tmp_path, inputs=inputs, loads=[aside]), MADE)))

    assert "flights 100 2.3 MB 13 filtered, 7 quarantined more 200" in text


def test_the_page_tells_what_each_stage_took(tmp_path: Path) -> None:
    """Its memory stands against its limit, also for those who cannot see the bar."""
    html = page(Report(task(folder=tmp_path, stages=[USE]), MADE))

    assert "transform 120 100 7 1.0 MB 2.0 MB 2.5 1.2 300.0 MB 30 % of 1.0 GB" in _text(html)
    assert 'aria-label="Peak memory of transform against its limit"' in html
    assert "What it took" not in page(Report(task(folder=tmp_path), MADE))
