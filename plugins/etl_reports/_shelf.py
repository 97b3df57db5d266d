"""Knows which reports there are, without reading again what has not changed.

A pipeline's folder changes its time when a report is published in it, so that a glance at that time is all that a page
costs; a report's folder is another one, of another number, each time it is published.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from etl_contract import ReportSummary
from etl_platform import run_folder

SETTLED_NS = 2_000_000_000  # a folder's clock ticks: what changed so lately may change again at the same time


class _Known(NamedTuple):
    changed: int
    reports: dict[tuple[str, int], ReportSummary | None]
    sorted: list[ReportSummary]


class Shelf:
    """The reports in a folder: PIPELINE/RUN/summary.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, _Known] = {}

    def pipelines(self) -> set[str]:
        """Give the pipelines that have, or had, a report."""
        try:
            with os.scandir(self._folder) as entries:
                return {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
        except FileNotFoundError:
            return set()

    def of(self, pipelines: Iterable[str]) -> dict[str, list[ReportSummary]]:
        """Give each pipeline's reports, that of the latest interval first."""
        there = self.pipelines()
        return {name: self._sorted(name) if name in there else [] for name in pipelines}

    def reports(self, pipeline: str) -> list[ReportSummary]:
        """Give one pipeline's reports, that of the latest interval first."""
        return self.of([pipeline])[pipeline]

    def files(self, pipeline: str, run_id: str) -> dict[str, Path]:
        """Give the files of a run's report by name; a name that does not stand in the folder opens nothing."""
        if pipeline not in self.pipelines():
            return {}
        try:
            return {file.name: file for file in (self._folder / pipeline / run_folder(run_id)).iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            return {}

    def _sorted(self, pipeline: str) -> list[ReportSummary]:
        folder, known = self._folder / pipeline, self._known.get(pipeline)
        try:
            changed = folder.stat().st_mtime_ns
            if known is not None and known.changed == changed:
                return known.sorted
            with os.scandir(folder) as entries:
                there = [(entry.name, entry.inode()) for entry in entries if not entry.name.startswith(".")]
        except FileNotFoundError:  # removed since we saw that it is there
            return []
        read = known.reports if known else {}
        reports = {key: read[key] if key in read else _summary(folder / key[0]) for key in there}
        told = [report for report in reports.values() if report is not None]
        told.sort(key=lambda report: (report.interval.end, report.made), reverse=True)
        settled = time.time_ns() - changed > SETTLED_NS
        self._known[pipeline] = _Known(changed if settled else 0, reports, told)
        return told


def _summary(folder: Path) -> ReportSummary | None:
    """Read a report in short; nothing where there is none, or one that cannot be read."""
    try:
        if (file := folder / "summary.json").exists():
            return ReportSummary.model_validate_json(file.read_bytes())
        return _of_report(json.loads((folder / "report.json").read_bytes()))
    except (OSError, ValueError, KeyError, ValidationError):
        return None


def _of_report(told: dict[str, Any]) -> ReportSummary:
    """Shorten a report of the time when no summary stood beside it."""
    interval = {name: told["interval"][name] for name in ("start", "end", "timezone")}
    rows = sum(load["rows_staged"] for load in told["loads"])
    names = ("title", "pipeline", "run_id", "made")
    return ReportSummary.model_validate({name: told[name] for name in names} | {"interval": interval, "rows": rows})
