"""Makes the lines of the page Reports: which pipelines, in which order, on which page."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from etl_contract import ReportSummary
from etl_reports._runs import RUNNING, Pipeline, Run

PAGE = 20
BARS = 14


class Line(NamedTuple):
    """A pipeline with its reports, the latest interval's first, and its last run."""

    pipeline: Pipeline
    reports: Sequence[ReportSummary]
    run: Run | None

    @property
    def last(self) -> ReportSummary | None:
        """Give the report of the latest interval."""
        return self.reports[0] if self.reports else None

    @property
    def state(self) -> str:
        """Give the last run's state; a queued run is as good as running."""
        if self.run is None:
            return "none"
        return "running" if self.run.state in RUNNING else self.run.state

    @property
    def bars(self) -> list[tuple[ReportSummary, int]]:
        """Give the latest reports, oldest first, with their rows in tenths of the most."""
        shown = list(reversed(self.reports[:BARS]))
        most = max((report.rows for report in shown), default=0)
        return [(report, max(1, round(10 * report.rows / most)) if most else 1) for report in shown]

    def matches(self, words: Sequence[str]) -> bool:
        """Say whether each word stands in its name, description, tags or title."""
        title = self.last.title if self.last else ""
        text = " ".join((self.pipeline.dag_id, self.pipeline.description, title, *self.pipeline.tags)).casefold()
        return all(word in text for word in words)


class Page[Item](NamedTuple):
    """Some of many."""

    items: Sequence[Item]
    number: int
    pages: int
    total: int


def page_number(asked: str) -> int:
    """Give the number of the page that is asked for; where that is no number, of the first."""
    try:
        return int(asked)
    except ValueError:
        return 1


def paged[Item](items: Sequence[Item], number: int, size: int = PAGE) -> Page[Item]:
    """Give a page, counted from 1; one beyond the last is the last."""
    pages = max(1, math.ceil(len(items) / size))
    number = min(max(1, number), pages)
    return Page(items[(number - 1) * size : number * size], number, pages, len(items))


def chosen(lines: Sequence[Line], query: Mapping[str, str]) -> list[Line]:
    """Give the lines that a person asked for, in the order asked for."""
    words = query.get("q", "").casefold().split()
    state = query.get("state", "")
    found = [line for line in lines if line.matches(words) and _is(line, state)]
    if query.get("sort") != "name":
        found.sort(key=lambda line: line.last.made.timestamp() if line.last else 0, reverse=True)
    return found


def _is(line: Line, state: str) -> bool:
    return (line.last is None) if state == "empty" else not state or line.state == state
