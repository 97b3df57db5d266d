"""Which tries of the run failed: asked of the book of tries, told in the report."""

import json
from pathlib import Path

import psycopg
import pytest

from etl_contract import SpecError
from etl_visualize.__main__ import visualize
from etl_visualize._warehouse import open_warehouse
from tests.visualize.reporting import DAY, KnownWarehouse, task

TRIES = [
    {"stage": "extract", "try": 1, "state": "failed", "error": "Unavailable", "seconds": 4.2, "peak_memory": 98_000},
    {"stage": "visualize", "try": 1, "state": "out_of_memory", "error": None, "seconds": 7.0, "peak_memory": None},
]


def _book(admin: psycopg.Connection, run_id: str, tried: str, state: str, error: str | None) -> None:
    stage, number = tried.split()
    admin.execute(
        """insert into etl.stage_runs (pipeline, run_id, stage, try_number, state, error, interval_start, interval_end,
           started_at, ended_at, seconds, cpus, memory_limit, minutes, image)
           values ('flights', %s, %s, %s, %s, %s, %s, %s, now(), now(), 4.2, 1, 512000000, 60, 'x')""",
        (run_id, stage, number, state, error, DAY.start, DAY.end),
    )


@pytest.mark.integration
def test_the_tries_that_failed_are_those_of_the_run_in_their_order(
    admin: psycopg.Connection, uri_file: Path, tmp_path: Path
) -> None:
    """Of every stage; those that ended well are none, nor are those of another run."""
    given = task(folder=tmp_path)
    _book(admin, given.run_id, "transform 1", "out_of_memory", "OutOfMemory")
    _book(admin, given.run_id, "extract 1", "success", None)
    _book(admin, given.run_id, "transform 2", "success", None)
    _book(admin, "another run", "extract 1", "failed", "SpecError")
    _book(admin, given.run_id, "load 1", "skipped", "NothingToDo")
    _book(admin, given.run_id, "visualize 1", "failed", "Unavailable")
    with open_warehouse(given, uri_file) as warehouse:
        found = warehouse.failed_tries()

    common = {"try": 1, "seconds": 4.2, "peak_memory": None}
    assert found.rows == [
        {"stage": "transform", "state": "out_of_memory", "error": "OutOfMemory"} | common,
        {"stage": "visualize", "state": "failed", "error": "Unavailable"} | common,
    ]


def test_a_report_tells_which_tries_failed(tmp_path: Path) -> None:
    """In its page and in its JSON: a run that went well in the end may have been in trouble."""
    visualize(task(folder=tmp_path / "run"), KnownWarehouse({"failed tries": TRIES}).connect)
    text = (tmp_path / "run" / "index.html").read_text()

    assert '<th scope="row">extract</th><td class="number">1</td><td>failed</td><td>Unavailable</td>' in text
    assert '<td>out of memory</td><td>–</td><td class="number">7.0</td>' in text  # noqa: RUF001 - what people see
    assert json.loads((tmp_path / "run" / "report.json").read_text())["failed_tries"] == TRIES


def test_a_book_that_cannot_be_read_costs_no_report(tmp_path: Path) -> None:
    """As in a warehouse that was never brought up to date."""
    missing = SpecError('relation "etl.stage_runs" does not exist.')
    visualize(task(folder=tmp_path / "run"), KnownWarehouse({"failed tries": missing}).connect)

    assert "Failed tries" not in (tmp_path / "run" / "index.html").read_text()


def test_where_no_try_failed_nothing_is_told(tmp_path: Path) -> None:
    """Which is the usual case."""
    visualize(task(folder=tmp_path / "run"), KnownWarehouse({}).connect)

    assert "Failed tries" not in (tmp_path / "run" / "index.html").read_text()
