"""Reads what Trivy found, where it can be had (setup/trivy.sh runs it, outside, before)."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from etl_scan._findings import Check, Finding, Outcome, Severity

ABSENT = "Trivy is not here, neither as a program nor as an image: what it alone looks for was not looked for"
_SEVERITY = {"UNKNOWN": Severity.high}  # what is not known may be bad


def check_trivy(folder: Path, wanted: Iterable[str]) -> Outcome:
    """Read a report for the repository and for each image; one that is missing is a trouble, unless all are."""
    names = ["repository", *wanted]
    if not folder.is_dir():
        return Outcome(Check.trivy, f"0 of {len(names)} targets", note=ABSENT)
    findings: list[Finding] = []
    troubles: list[str] = []
    for name in names:
        report = folder / f"{name}.json"
        try:
            findings += findings_in(name, json.loads(report.read_text("utf-8")))
        except (OSError, ValueError):
            error = folder / f"{name}.error"
            said = error.read_text("utf-8").strip().splitlines() if error.is_file() else []
            troubles.append(f"{name}: Trivy gave no report{': ' + said[-1][:300] if said else ''}")
    return Outcome(Check.trivy, f"{len(names)} targets", tuple(findings), tuple(troubles))


def findings_in(name: str, report: dict[str, Any]) -> Iterator[Finding]:
    """Read a report: holes in packages, mistakes in configuration, secrets."""
    for result in report.get("Results") or []:
        target = result["Target"]
        for hole in result.get("Vulnerabilities") or []:
            yield Finding(
                Check.trivy,
                who=hole["PkgName"],
                what=hole["VulnerabilityID"],
                severity=_severity(hole),
                where=f"{hole.get('InstalledVersion', '')} in {name}",
                fixed_in=hole.get("FixedVersion", ""),
                title=hole.get("Title", ""),
            )
        for mistake in result.get("Misconfigurations") or []:
            if mistake.get("Status") != "PASS":
                yield Finding(
                    Check.trivy,
                    who=target,
                    what=mistake["ID"],
                    severity=_severity(mistake),
                    where=f"line {mistake.get('CauseMetadata', {}).get('StartLine', '?')}",
                    title=mistake.get("Title", ""),
                )
        for secret in result.get("Secrets") or []:
            yield Finding(
                Check.trivy,
                who=target,
                what=secret["RuleID"],
                severity=_severity(secret),
                where=f"line {secret.get('StartLine', '?')} in {name}",
                title=secret.get("Title", ""),
            )


def _severity(found: dict[str, Any]) -> Severity:
    word = str(found.get("Severity", "UNKNOWN"))
    return _SEVERITY.get(word) or Severity(word.lower())
