"""What stands in the folder of reports is what is listed, without reading it all each time."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
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


class _EmptiedMeanwhile(Shelf):
    """A shelf from which a pipeline is cleared away as soon as it was seen to be there."""

    def pipelines(self) -> set[str]:
        """Give the pipelines that were there."""
        there = super().pipelines()
        for name in there:
            shutil.rmtree(self._folder / name)
        return there


def test_what_is_removed_meanwhile_is_no_report(tmp_path: Path) -> None:
    """A pipeline's folder goes away between two looks at it."""
    put(tmp_path, "orders", "run-1", 1)
    listed = _EmptiedMeanwhile(tmp_path).reports("orders")
    put(tmp_path, "orders", "run-1", 1)

    assert listed == []
    assert _EmptiedMeanwhile(tmp_path).files("orders", "run-1") == {}


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Give what is opened from here on: files that are read, and folders that are listed."""
    told: list[str] = []
    listening = True

    def hear(event: str, about: tuple[object, ...]) -> None:
        if listening and event in {"open", "os.scandir"}:
            told.append(str(about[0]))

    sys.addaudithook(hear)  # it stays until the end of the process
    yield told
    listening = False


def test_only_what_is_new_is_read(tmp_path: Path, opened: list[str]) -> None:
    """However many reports there are: each once; then one folder is listed, and of a new report its file is read."""
    names = [f"pipeline_{number:02}" for number in range(20)]
    for name in names:
        for day in range(50):
            put(tmp_path, name, f"run-{day}", day)
        _settle(tmp_path / name)
    shelf = Shelf(tmp_path)

    def look() -> tuple[int, list[str]]:
        opened.clear()
        kept = sum(map(len, shelf.of(names).values()))
        return kept, [path for path in opened if path.startswith(str(tmp_path))]

    first, again = look(), look()
    new = put(tmp_path, "pipeline_07", "run-50", 50)
    _settle(tmp_path / "pipeline_07", 50)
    added = look()

    assert (first[0], len(first[1])) == (1000, 1000 + 20 + 1)
    assert again == (1000, [str(tmp_path)])
    assert added == (1001, [str(tmp_path), str(tmp_path / "pipeline_07"), str(new / "summary.json")])


def _settle(folder: Path, seconds: int = 100) -> None:
    """Let a folder have changed so long ago."""
    at = time.time() - seconds
    os.utime(folder, (at, at))


def test_no_folder_is_no_report(tmp_path: Path) -> None:
    """As before the first run."""
    assert Shelf(tmp_path / "nothing").pipelines() == set()
