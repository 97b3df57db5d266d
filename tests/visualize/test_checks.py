"""What a report tells of the checks: every rule with its count, and what was set aside."""

import json
from pathlib import Path

from etl_contract import Check, OnBreach
from etl_visualize._page import page, report_files
from etl_visualize._report import Report
from tests.visualize.reporting import MADE, load, task

HOSTILE = "</td><script>alert(1)</script>"
CHECKS = [
    Check(dataset="orders", rule="id unique", on_breach=OnBreach.fail, rows=1200, breaches=0),
    Check(
        dataset="orders", rule=HOSTILE, on_breach=OnBreach.quarantine, rows=1200, breaches=34, examples=("row 1: 2",)
    ),
]


def test_a_report_shows_each_rule_and_how_often_it_was_breached(tmp_path: Path) -> None:
    """The most breached comes first, and a rule's words are only words."""
    quarantined = load("mart.orders", 1166, 1166, 0, 0).model_copy(update={"rows_quarantined": 34})

    text = page(Report(task(folder=tmp_path, checks=CHECKS, loads=[quarantined]), MADE))

    assert "2 rules, 1 breached" in text
    assert "1,166 inserted, 0 updated, 0 deleted, 34 quarantined" in text
    words = "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
    first = f'<tr><td>orders</td><td class="long">{words}</td><td class="number breached">34</td>'
    assert text.index(f'{first}<td class="number">1,200</td><td>quarantine</td></tr>') < text.index("id unique")


def test_a_report_without_checks_has_no_section_of_them(tmp_path: Path) -> None:
    """A pipeline that expects nothing shows nothing of it."""
    text = page(Report(task(folder=tmp_path, loads=[load("mart.orders", 1, 1, 0, 0)]), MADE))

    assert 'id="checks"' not in text
    assert "quarantined" not in text


def test_the_reports_data_has_the_checks(tmp_path: Path) -> None:
    """report.json tells the same."""
    summary = json.loads(report_files(Report(task(folder=tmp_path, checks=CHECKS), MADE))["report.json"])

    assert [(check["rule"], check["on_breach"], check["breaches"]) for check in summary["checks"]] == [
        ("id unique", "fail", 0),
        (HOSTILE, "quarantine", 34),
    ]
