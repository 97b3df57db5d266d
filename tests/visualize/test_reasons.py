"""Why rows were set aside: asked of the warehouse's own table, told in the report."""

import json
from pathlib import Path

import psycopg
import pytest

from etl_visualize.__main__ import visualize
from etl_visualize._warehouse import MOST_REASONS, open_warehouse
from tests.visualize.reporting import DAY, KnownWarehouse, load, task

REASONS = [{"dataset": "orders", "rule": "<b>unique</b>", "column": "id", "rows": 1200}]


def _aside(admin: psycopg.Connection, run_id: str, number: int, rule: str, column: str | None) -> None:
    admin.execute(
        """insert into quarantine.rows
           (pipeline, run_id, dataset, row_number, rule, column_name, "row", interval_start, interval_end)
           values ('flights', %s, 'flights', %s, %s, %s, '{}', %s, %s)""",
        (run_id, number, rule, column, DAY.start, DAY.end),
    )


@pytest.mark.integration
def test_the_most_frequent_reason_comes_first(admin: psycopg.Connection, uri_file: Path, tmp_path: Path) -> None:
    """Of this run alone, by the rule that each row breached first; many are cut, and it is known."""
    given = task(folder=tmp_path)
    for number, (rule, column) in enumerate([("in_range", "delay"), ("late", None), ("in_range", "delay")]):
        _aside(admin, given.run_id, number, rule, column)
    _aside(admin, "another run", 1, "unique", "id")
    with open_warehouse(given, uri_file) as warehouse:
        few = warehouse.reasons()
    for number in range(MOST_REASONS):
        _aside(admin, given.run_id, 100 + number, f"rule {number}", None)
    with open_warehouse(given, uri_file) as warehouse:
        many = warehouse.reasons()

    assert few.rows == [
        {"dataset": "flights", "rule": "in_range", "column": "delay", "rows": 2},
        {"dataset": "flights", "rule": "late", "column": None, "rows": 1},
    ]
    assert not few.more
    assert (len(many.rows), many.more) == (MOST_REASONS, True)


def test_a_report_tells_why_rows_were_set_aside(tmp_path: Path) -> None:
    """With what to do; a rule's words are only words."""
    loads = [load("mart.orders", 1, 1, 0, 0).model_copy(update={"rows_quarantined": 1200})]
    visualize(task(folder=tmp_path / "run", loads=loads), KnownWarehouse({"reasons": REASONS}).connect)
    text = (tmp_path / "run" / "index.html").read_text()

    line = '<td>orders</td><td>id</td><td class="long">&lt;b&gt;unique&lt;/b&gt;</td><td class="number">1,200</td>'
    assert line in text
    assert "make replay PIPELINE=flights" in text
    assert json.loads((tmp_path / "run" / "report.json").read_text())["quarantined"] == REASONS


def test_where_nothing_was_set_aside_nobody_asks(tmp_path: Path) -> None:
    """A warehouse that knows no answer is not asked."""
    visualize(task(folder=tmp_path / "run", loads=[load("mart.orders", 1, 1, 0, 0)]), KnownWarehouse({}).connect)

    assert 'id="aside"' not in (tmp_path / "run" / "index.html").read_text()
