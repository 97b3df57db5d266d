"""Writes what was measured as tables of Markdown: medians, and ratios to the limit of the same run."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from tests.bench.arena import Measured
from tests.bench.jobs import OURS, Job

_MIB = 1024 * 1024
_RESULTS = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)


def table(job: Job, measured: Mapping[str, Sequence[Measured]], problems: Mapping[str, str]) -> str:
    """Write a job's table: the limit first, then from the fastest to the slowest."""
    medians = {name: _medians(took) for name, took in measured.items()}
    limit = medians[job.contenders[0].name].seconds
    lines = [
        f"### {job.name}",
        "",
        f"To reach: {job.reach}.",
        "",
        "| who | seconds | x the limit | CPU seconds | peak MiB | runs |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, took in sorted(medians.items(), key=lambda entry: (entry[0] != job.contenders[0].name, entry[1].seconds)):
        shown = f"**{name}**" if name == OURS else name
        lines.append(
            f"| {shown} | {took.seconds:.2f} | {took.seconds / limit:.2f} | {took.cpu_seconds:.2f} "
            f"| {took.peak_bytes / _MIB:,.0f} | {len(measured[name])} |"
        )
    lines += [
        f"| {name} | failed |  |  |  | {len(measured.get(name, ()))} |" for name in problems if name not in medians
    ]
    return "\n".join(lines)


def write(page: Path, tables: Sequence[str]) -> None:
    """Put the tables between the page's marks."""
    results = "\n\n".join(tables)
    text, count = _RESULTS.subn(lambda match: f"{match[1]}\n{results}\n\n{match[2]}", page.read_text(encoding="utf-8"))
    assert count == 1, f"{page} has no place for results"
    page.write_text(text, encoding="utf-8")


def _medians(took: Sequence[Measured]) -> Measured:
    return Measured(
        seconds=median(one.seconds for one in took),
        cpu_seconds=median(one.cpu_seconds for one in took),
        peak_bytes=int(median(one.peak_bytes for one in took)),
    )
