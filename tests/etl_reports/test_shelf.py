"""What stands in the folder of reports is what is listed, without reading it all each time."""

import json
import shutil
from pathlib import Path

import pytest

from etl_platform import run_folder
from etl_reports._shelf import Shelf
from tests.etl_reports.conftest import put


def _runs(shelf: Shelf, pipeline: str = "orders") -> list[str]:
    return [report.run_id for report in shelf.reports(pipeline)]


def test_the_latest_interval_comes_first(tmp_path: Path) -> None:
    """Whenever its report was made: a day that was run again stays where it was."""
    for day in (1, 3, 2):
        put(tmp_path, "orders", f"run-{day}", day)

    assert _runs(Shelf(tmp_path)) == ["run-3", "run-2", "run-1"]


def test_what_changes_is_seen(tmp_path: Path) -> None:
    """A new report, one that replaces another, and one that was removed."""
    shelf = Shelf(tmp_path)
    put(tmp_path, "orders", "run-1", 1)
    before = _runs(shelf)
    part = put(tmp_path, "new", "run-1", 1, rows=5)
    shutil.rmtree(tmp_path / "orders" / run_folder("run-1"))
    part.rename(tmp_path / "orders" / run_folder("run-1"))
    (replaced,) = shelf.reports("orders")
    put(tmp_path, "orders", "run-2", 2)
    added = _runs(shelf)
    shutil.rmtree(tmp_path / "orders" / run_folder("run-1"))

    assert before == ["run-1"]
    assert replaced.rows == 6
    assert added == ["run-2", "run-1"]
    assert _runs(shelf) == ["run-2"]


def test_a_report_of_the_time_before_summaries_is_listed(tmp_path: Path) -> None:
    """Its whole JSON tells enough."""
    folder = put(tmp_path, "orders", "run-1", 1)
    told = json.loads((folder / "summary.json").read_text())
    loads = [{"rows_staged": 7}, {"rows_staged": 5}]
    (folder / "report.json").write_text(
        json.dumps(told | {"interval": told["interval"] | {"text": "x"}, "loads": loads})
    )
    (folder / "summary.json").unlink()
    (report,) = Shelf(tmp_path).reports("orders")

    assert (report.run_id, report.rows, str(report.interval)) == ("run-1", 12, "2026-01-02")


@pytest.mark.parametrize("broken", ["", "{}", "no json", '{"title": 1}'])
def test_what_cannot_be_read_is_left_out(tmp_path: Path, broken: str) -> None:
    """One broken report hides no other, nor does a folder that is being written."""
    put(tmp_path, "orders", "run-1", 1)
    (put(tmp_path, "orders", "run-2", 2) / "summary.json").write_text(broken)
    (tmp_path / "orders" / ".run-3.part").mkdir()

    assert _runs(Shelf(tmp_path)) == ["run-1"]


@pytest.mark.parametrize("name", ["..", ".", "", "../other", "/etc", "orders/..", "nothing"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Only what stands in it is opened."""
    put(tmp_path / "reports", "orders", "run-1", 1)
    put(tmp_path, "other", "run-1", 1)
    shelf = Shelf(tmp_path / "reports")

    assert shelf.reports(name) == []
    assert shelf.files(name, "run-1") == {}
    assert sorted(shelf.files("orders", "run-1")) == ["index.html", "summary.json"]


def test_no_folder_is_no_report(tmp_path: Path) -> None:
    """As before the first run."""
    assert Shelf(tmp_path / "nothing").pipelines() == set()
