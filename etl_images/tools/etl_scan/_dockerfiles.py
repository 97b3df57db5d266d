"""Asks hadolint about every Dockerfile."""

import json
from pathlib import Path

from etl_scan._command import run
from etl_scan._errors import Unanswered
from etl_scan._findings import Check, Finding, Outcome, Severity

_SEVERITY = {
    "error": Severity.high,
    "warning": Severity.medium,
    "info": Severity.low,
    "style": Severity.low,
}


def dockerfiles_of(root: Path) -> list[Path]:
    """Give every Dockerfile of the repository."""
    return sorted(file for part in ("etl_images", "tests") for file in (root / part).rglob("Dockerfile"))


def check_dockerfiles(root: Path) -> Outcome:
    """Find what hadolint has to say, within .hadolint.yaml."""
    files = [str(file) for file in dockerfiles_of(root)]
    try:
        said = json.loads(run("hadolint", "--format=json", "--no-fail", *files))
    except (Unanswered, ValueError) as error:
        return Outcome(Check.dockerfiles, f"{len(files)} Dockerfiles", troubles=(str(error),))
    findings = (
        Finding(
            Check.dockerfiles,
            who=str(Path(one["file"]).relative_to(root)),
            what=one["code"],
            severity=_SEVERITY[one["level"]],
            where=f"line {one['line']}",
            title=one["message"],
        )
        for one in said
    )
    return Outcome(Check.dockerfiles, f"{len(files)} Dockerfiles", tuple(findings))
