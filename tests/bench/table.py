"""Writes what was measured as tables of Markdown: medians, ratios to the limit of the same run, and what is reached."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.arena import Measured

if TYPE_CHECKING:
    from tests.bench.race import Race, Results

_MIB = 1024 * 1024
_RESULTS = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)


def written(race: "Race", results: "Results") -> str:
    """Write a race's table: the limit, then the fastest to the slowest; and below each goal, and what is reached."""
    limit = race.contenders[0].name
    medians = {name: _medians(took) for name, took in results.measured.items()}
    least = medians[limit].seconds if limit in medians else None
    ours = next((medians[name].seconds for name in race.ours if name in medians), None)
    lines = [
        f"### {race.name}",
        "",
        "| who | seconds | x the limit | x our time | CPU seconds | peak MiB | runs |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, took in sorted(medians.items(), key=lambda entry: (entry[0] != limit, entry[1].seconds)):
        shown = f"**{name}**" if name in race.ours else name
        ahead = took.seconds / ours if ours and len(race.ours) == 1 else None
        lines.append(
            f"| {shown} | {took.seconds:.2f} | {_number(least and took.seconds / least)} | {_number(ahead)} "
            f"| {_number(took.cpu_seconds)} | {_mebibytes(took)} | {len(results.measured[name])} |"
        )
    lines += [
        f"| {name} | failed: {_last(why)} |  |  |  |  | {len(results.measured.get(name, ()))} |"
        for name, why in results.problems.items()
    ]
    return "\n".join([*lines, "", *(f"- {line}" for line in _goals(race, medians))])


def write(page: Path, tables: Sequence[str]) -> None:
    """Put the tables between the page's marks."""
    results = "\n\n".join(tables)
    text, count = _RESULTS.subn(lambda match: f"{match[1]}\n{results}\n\n{match[2]}", page.read_text(encoding="utf-8"))
    assert count == 1, f"{page} has no place for results"
    page.write_text(text, encoding="utf-8")


def _goals(race: "Race", medians: Mapping[str, Measured]) -> Iterator[str]:
    """Say of each goal what is reached."""
    goal, limit = race.goal, medians.get(race.contenders[0].name)
    ours = [medians[name] for name in race.ours if name in medians]
    if not ours:
        yield "Nothing reached: we failed."
        return
    seconds, most = max(one.seconds for one in ours), max(one.peak_bytes or 0 for one in ours) / _MIB
    if goal.ratio and limit:
        yield _told(
            f"at most {goal.ratio} x the limit",
            f"{seconds / limit.seconds:.2f} x",
            seconds <= goal.ratio * limit.seconds,
        )
    if goal.over and limit:
        yield _told(
            f"at most {goal.over} s over the limit",
            f"{seconds - limit.seconds:.2f} s",
            seconds - limit.seconds <= goal.over,
        )
    if goal.seconds:
        yield _told(f"at most {goal.seconds} s", f"{seconds:.2f} s", seconds <= goal.seconds)
    if goal.mebibytes:
        yield _told(f"at most {goal.mebibytes} MiB", f"{most:.0f} MiB", most <= goal.mebibytes)
    for word, times in goal.ahead.items():
        peers = [took.seconds for name, took in medians.items() if name.startswith(word)]
        if peers:
            ahead = min(peers) / seconds
            yield _told(f"at least {times} x ahead of the best {word}", f"{ahead:.1f} x", ahead >= times)


def _told(wanted: str, reached: str, good: bool) -> str:  # noqa: FBT001 - it is what is told
    return f"To reach: {wanted}. Reached: {reached}{'' if good else ', **missed**'}."


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _mebibytes(took: Measured) -> str:
    return "" if took.peak_bytes is None else f"{took.peak_bytes / _MIB:,.0f}"


def _last(text: str) -> str:
    """Give the last line of what a contender said, short."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("measured ")]
    return lines[-1].strip().replace("|", "/")[:100] if lines else "it said nothing"


def _medians(took: Sequence[Measured]) -> Measured:
    cpu = [one.cpu_seconds for one in took if one.cpu_seconds is not None]
    peaks = [one.peak_bytes for one in took if one.peak_bytes is not None]
    seconds = median(one.seconds for one in took)
    return Measured(seconds, median(cpu) if cpu else None, int(median(peaks)) if peaks else None)
