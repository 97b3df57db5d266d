"""Models what checks find, and what stood in their way."""

from enum import StrEnum
from typing import NamedTuple


class Check(StrEnum):
    """What is looked at. `rules` are those of tests/rules and tests/postgres; the scan itself makes the others."""

    python = "python"
    debian = "debian"
    dockerfiles = "dockerfiles"
    trivy = "trivy"
    rules = "rules"


class Severity(StrEnum):
    """How bad a finding is; the worst comes last."""

    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"

    def is_at_least(self, other: "Severity") -> bool:
        """Tell whether it is as bad as another, or worse."""
        order = list(Severity)
        return order.index(self) >= order.index(other)


class Finding(NamedTuple):
    """One thing that is wrong: with whom, what by its public name, how bad, and since when it is mended."""

    check: Check
    who: str
    what: str
    severity: Severity
    where: str = ""
    fixed_in: str = ""
    title: str = ""
    aliases: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What came of a check: over how much, what it found, and what it could not look at, which is no pass."""

    check: Check
    scope: str
    findings: tuple[Finding, ...] = ()
    troubles: tuple[str, ...] = ()
    note: str = ""
