"""Draws a pipeline's data flow: boxes in columns, from what it reads to its report, and curves between them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from etl_platform._flow import Flow

BOX, GAP, WIDTH, BETWEEN = 58, 18, 220, 40
_LONGEST = 29


class Box(NamedTuple):
    """A box of the picture: where it is, what kind of thing it shows, and what it says of it."""

    x: int
    y: int
    kind: str
    title: str
    about: str
    width: int = WIDTH
    height: int = BOX

    @property
    def left(self) -> tuple[int, int]:
        """Give the middle of its left side, where what comes in ends."""
        return self.x, self.y + BOX // 2

    @property
    def right(self) -> tuple[int, int]:
        """Give the middle of its right side, where what goes out begins."""
        return self.x + WIDTH, self.y + BOX // 2


class Picture(NamedTuple):
    """What is drawn: boxes, and the curves between them."""

    boxes: tuple[Box, ...]
    curves: tuple[str, ...]
    width: int
    height: int


def picture(flow: Flow) -> Picture:
    """Arrange the boxes in columns, each in the middle of the height, and draw the curves."""
    steps = [("transform", step.partition(": ")[2] or step, step.partition(": ")[0]) for step in flow.steps]
    checks = [("check", "expect", f"checks {', '.join(flow.checks)}")] if flow.checks else []
    columns = [
        [("source", place.name, place.about) for place in flow.reads],
        *([each] for each in (*steps, *checks)),
        [("table" if place.table else "file", place.name, place.about) for place in flow.writes],
        *([[("report", flow.report, "report")]] if flow.report else []),
    ]
    height = max(len(column) for column in columns) * (BOX + GAP) - GAP
    placed = [tuple(_column(index, column, height)) for index, column in enumerate(columns)]
    curves = [
        _curve(start, end)
        for number, (before, after) in enumerate(pairwise(placed))
        for start in before
        for end in after
        if number or flow.steps or flow.checks or _is_of(flow, start, end)
    ]
    width = len(columns) * (WIDTH + BETWEEN) - BETWEEN
    return Picture(tuple(box for column in placed for box in column), tuple(curves), width, height)


def _column(index: int, column: Sequence[tuple[str, str, str]], height: int) -> Iterator[Box]:
    top = (height - len(column) * (BOX + GAP) + GAP) // 2
    for row, (kind, title, about) in enumerate(column):
        yield Box(index * (WIDTH + BETWEEN), top + row * (BOX + GAP), kind, _short(title), _short(about))


def _is_of(flow: Flow, source: Box, target: Box) -> bool:
    """Tell whether a source goes straight into a target, where nothing is between them."""
    return any(_short(place.name) == target.title and _short(place.dataset) == source.title for place in flow.writes)


def _curve(start: Box, end: Box) -> str:
    (x1, y1), (x2, y2) = start.right, end.left
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2 - 7} {y2}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
