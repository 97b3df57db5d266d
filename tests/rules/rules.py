"""What a rule is, and how an exception from it is judged."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from etl_scan import Check, Config, ScanException, read_config
from etl_scan._images import compose_config

ROOT = Path(__file__).parents[2]
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"://[^/\s:@]+:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY")


class Rule(NamedTuple):
    """A rule by its ids, and what breaches it: gives what is wrong with a subject, or None."""

    ids: tuple[str, ...]
    title: str
    breach: Callable[[Any], str | None]


def rule(
    *ids: str, title: str, among: list[Rule]
) -> Callable[[Callable[[Any], str | None]], Callable[[Any], str | None]]:
    """Add a function to the rules."""

    def add(breach: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        among.append(Rule(ids, title, breach))
        return breach

    return add


def cases(rules: Iterable[Rule], subjects: Iterable[str]) -> list[Any]:
    """Give a case for each rule and subject; its id says both."""
    subjects = list(subjects)
    return [
        pytest.param(one, who, id=f"{' + '.join(one.ids)}: {one.title} [{who}]") for one in rules for who in subjects
    ]


def judged(one: Rule, who: str, breach: str | None) -> None:
    """Fail unless the rule is kept, or an exception that holds today is really needed."""
    exception = exception_from(one, who)
    if exception is None:
        assert breach is None, f"{who}: {breach}"
        return
    assert breach is not None, f"{who} keeps {one.ids[0]}: the exception in config/scan.yaml may go"
    assert exception.until >= datetime.now(UTC).date(), f"the exception of {who} from {one.ids[0]} is over: {breach}"


def exception_from(one: Rule, who: str) -> ScanException | None:
    """Find the exception of a subject from a rule."""
    found = [exception for exception in config().exceptions if exception.covers(Check.rules, who, *one.ids)]
    return found[0] if found else None


@cache
def config() -> Config:
    """Read config/scan.yaml."""
    return read_config(ROOT / "config" / "scan.yaml")


@cache
def compose() -> dict[str, Any]:
    """Give docker-compose.yml with every profile, and with every variable as it is where nobody chose anything."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return compose_config(ROOT / ".env.example", root=ROOT, env=kept)


def secret_in(name: str, value: str) -> bool:
    """Tell whether a variable holds what looks like a secret, and not only the way to one."""
    leads_to_it = name.upper().endswith(("_FILE", "_CMD"))
    return bool((value and _SECRET_NAME.search(name) and not leads_to_it) or _SECRET_VALUE.search(value))


def docker(*words: str) -> str:
    """Run the Docker command line; give what it prints."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
