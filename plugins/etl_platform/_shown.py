"""Writes what came of trying a pipeline, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from etl_platform._pipeline import Pipeline
from etl_platform._try import Trial

_WIDEST = 28
_PAGE = 118
_MOST_BESIDE = 2


def shown_trial(pipeline: Pipeline, trial: Trial) -> str:
    """Write it for people."""
    parts = [f"{pipeline.name}: tried {trial.interval}; nothing is loaded"]
    for name, result in trial.stages.items():
        counts = f"{result.rows_in:>9,} rows in" if result.rows_in else f"{'':>17}"
        parts.append(f"  {name:<10} done    {result.seconds:6.1f} s {counts} {result.rows_out:>9,} rows out")
    for described in trial.datasets:
        parts += ["", *_dataset(described)]
    if trial.checks:
        parts += ["", "Checks"]
        parts += [
            f"  {'well  ' if not check.breaches else str(check.on_breach):<10} {check.dataset}: {check.rule}"
            f"{f' ({check.breaches:,} of {check.rows:,} rows breach it)' if check.breaches else ''}"
            for check in trial.checks
        ]
    return "\n".join(parts)


def plain_trial(trial: Trial) -> dict[str, Any]:
    """Write it for programs."""
    return {
        "interval": trial.interval.model_dump(mode="json"),
        "stages": {
            name: result.model_dump(mode="json", include={"rows_in", "rows_out", "seconds", "peak_memory"})
            for name, result in trial.stages.items()
        },
        "checks": [check.model_dump(mode="json") for check in trial.checks],
        "datasets": trial.datasets,
    }


def _dataset(described: dict[str, Any]) -> list[str]:
    into = f", would go into {described['table']} by {described['mode']}" if described["table"] else ""
    parts = [f"{described['dataset']}: {described['rows']:,} rows{into}"]
    columns = described["columns"]
    rows = [[column["name"] for column in columns], [column["type"] for column in columns], *described["first_rows"]]
    shown = len(rows) - 2
    if max(map(len, _aligned(rows))) > _PAGE:  # a column a line
        shown = min(shown, _MOST_BESIDE)
        rows = [list(column) for column in zip(*rows[: 2 + shown], strict=True)]
    parts += [f"  {line}" for line in _aligned(rows)]
    if described["rows"] > shown:
        parts.append(f"  ... and {described['rows'] - shown:,} more rows")
    for statement in described["ddl"]:
        parts += ["", *(f"  {line}" for line in f"{statement};".splitlines())]
    return parts


def _aligned(rows: Sequence[Sequence[str | None]]) -> list[str]:
    """Write rows below each other, each value cut to what a person takes in."""
    texts = [["" if value is None else _short(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(f"{value:<{width}}" for value, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
