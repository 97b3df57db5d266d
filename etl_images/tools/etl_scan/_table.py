"""Prints what came of the checks: a table each for people, or one JSON document for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from etl_scan._config import ScanException
from etl_scan._findings import Finding, Outcome
from etl_scan._judge import Verdict

_HEAD = ("who", "where", "what", "severity", "fixed in", "is")
_WIDEST = 60


def as_text(outcomes: Iterable[Outcome], verdict: Verdict) -> str:
    """Give a section for each check, and what must be done in the end."""
    outcomes = list(outcomes)
    allowed = dict(verdict.excepted)
    lines: list[str] = []
    for outcome in outcomes:
        lines += ["", f"== {outcome.check}: {outcome.scope}, {_found(outcome)}"]
        if outcome.findings:
            rows = [(*_cells(finding), _standing(finding, verdict, allowed)) for finding in sorted(outcome.findings)]
            lines += table([(*_HEAD, "so"), *rows])
        lines += [f"   not checked: {trouble}" for trouble in outcome.troubles]
        lines += [f"   {outcome.note}"] if outcome.note else []
    lines += ["", *(f"   expired on {one.until}: {_named(one)}" for one in verdict.expired)]
    lines += [f"   matches nothing, and may go: {_named(one)}" for one in verdict.needless]
    return "\n".join([*lines, f"== {_summary(outcomes, verdict)}"]).lstrip("\n")


def as_json(outcomes: Iterable[Outcome], verdict: Verdict) -> str:
    """Give the same for a program."""
    outcomes = list(outcomes)
    allowed = dict(verdict.excepted)
    return json.dumps(
        {
            "passed": verdict.passed(outcomes),
            "checks": [
                {
                    "check": outcome.check,
                    "scope": outcome.scope,
                    "checked": not outcome.troubles and not outcome.note,
                    "troubles": [*outcome.troubles, *([outcome.note] if outcome.note else [])],
                    "findings": [
                        {**finding._asdict(), "so": _standing(finding, verdict, allowed)}
                        for finding in sorted(outcome.findings)
                    ],
                }
                for outcome in outcomes
            ],
            "expired": [one.model_dump(mode="json") for one in verdict.expired],
            "needless": [one.model_dump(mode="json") for one in verdict.needless],
        },
        indent=2,
    )


def table(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lay rows out in columns; what is long is cut."""
    cut = [[str(cell) if len(str(cell)) <= _WIDEST else f"{str(cell)[: _WIDEST - 1]}…" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    return [
        "   " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut
    ]


def _found(outcome: Outcome) -> str:
    """Call nothing found only what was looked at."""
    if outcome.findings:
        return _count(len(outcome.findings), "finding") + (", and not all checked" if outcome.troubles else "")
    return "not checked" if outcome.troubles or outcome.note else "no findings"


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.who, finding.where, finding.what, finding.severity, finding.fixed_in or "-", finding.title


def _standing(finding: Finding, verdict: Verdict, allowed: dict[Finding, ScanException]) -> str:
    if finding in allowed:
        return f"let pass until {allowed[finding].until}"
    return "fails" if finding in verdict.failing else "small"


def _named(exception: ScanException) -> str:
    return f"the exception for {exception.check} {exception.what}{_of(exception)} in config/scan.yaml"


def _of(exception: ScanException) -> str:
    return f" of {', '.join(exception.who)}" if exception.who else ""


def _summary(outcomes: list[Outcome], verdict: Verdict) -> str:
    unmade = [outcome.check for outcome in outcomes if outcome.troubles]
    told = [_count(len(verdict.failing), "finding fails", "findings fail")]
    told += [f"{len(verdict.excepted)} let pass"] if verdict.excepted else []
    told += [f"{len(verdict.small)} below the threshold"] if verdict.small else []
    told += [f"not checked: {', '.join(unmade)}"] if unmade else []
    return ", ".join(told)


def _count(number: int, word: str, words: str | None = None) -> str:
    return f"{number or 'no'} {word if number == 1 else words or word + 's'}"
