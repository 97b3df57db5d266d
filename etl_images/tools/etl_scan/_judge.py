"""Judges findings: which fail, which are let pass by an exception, which are too small to matter."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from etl_scan._config import Config, ScanException
from etl_scan._findings import Finding, Outcome


class Verdict(NamedTuple):
    """What is to be done about all findings together."""

    failing: tuple[Finding, ...]
    excepted: tuple[tuple[Finding, ScanException], ...]
    small: tuple[Finding, ...]
    expired: tuple[ScanException, ...]
    needless: tuple[ScanException, ...]

    def passed(self, outcomes: Iterable[Outcome]) -> bool:
        """Tell whether nothing fails, and every check was made."""
        return not self.failing and not any(outcome.troubles for outcome in outcomes)


def judge(outcomes: Iterable[Outcome], config: Config, today: date) -> Verdict:
    """Sort all findings; an exception whose last day is over covers nothing any more.

    An exception is called needless only where its check was made whole, since only then it is known to match nothing.
    """
    outcomes = list(outcomes)
    failing: list[Finding] = []
    excepted: list[tuple[Finding, ScanException]] = []
    small: list[Finding] = []
    used: set[ScanException] = set()
    for finding in (finding for outcome in outcomes for finding in outcome.findings):
        matching = [
            exception
            for exception in config.exceptions
            if exception.covers(finding.check, finding.who, finding.what, *finding.aliases)
        ]
        used.update(matching)
        valid = [exception for exception in matching if exception.until >= today]
        if valid:
            excepted.append((finding, valid[0]))
        elif finding.severity.is_at_least(config.fails_from):
            failing.append(finding)
        else:
            small.append(finding)
    whole = {outcome.check for outcome in outcomes if not outcome.troubles and not outcome.note}
    return Verdict(
        tuple(failing),
        tuple(excepted),
        tuple(small),
        expired=tuple(one for one in config.exceptions if one in used and one.until < today),
        needless=tuple(one for one in config.exceptions if one not in used and one.check in whole),
    )
