"""Trivy's reports are read where it can be had, and where it cannot, that is said."""

import json
from pathlib import Path

from etl_scan import Severity
from etl_scan._trivy import check_trivy, findings_in

# As Trivy 0.7x writes them, shortened.
REPORT = {
    "SchemaVersion": 2,
    "ArtifactName": "image.tar",
    "Results": [
        {
            "Target": "image.tar (debian 13.1)",
            "Class": "os-pkgs",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2025-9230",
                    "PkgName": "libssl3t64",
                    "InstalledVersion": "3.5.1-1",
                    "FixedVersion": "3.5.1-1+deb13u1",
                    "Title": "openssl: Out-of-bounds read",
                    "Severity": "MEDIUM",
                },
                {"VulnerabilityID": "CVE-2025-1", "PkgName": "dash", "InstalledVersion": "1", "Severity": "UNKNOWN"},
            ],
        },
        {
            "Target": "etl_images/load/Dockerfile",
            "Class": "config",
            "Misconfigurations": [
                {
                    "ID": "DS-0002",
                    "Title": "root",
                    "Severity": "HIGH",
                    "Status": "FAIL",
                    "CauseMetadata": {"StartLine": 3},
                },
                {"ID": "DS-0001", "Title": "tag", "Severity": "HIGH", "Status": "PASS"},
            ],
        },
        {
            "Target": "/opt/key.pem",
            "Class": "secret",
            "Secrets": [
                {"RuleID": "private-key", "Severity": "HIGH", "Title": "Asymmetric Private Key", "StartLine": 1}
            ],
        },
        {"Target": "uv.lock", "Class": "lang-pkgs"},
    ],
}


def test_a_report_is_read() -> None:
    """Holes, mistakes and secrets; what passed is none, and what is of unknown severity may be bad."""
    found = list(findings_in("load", REPORT))

    assert [(one.who, one.what, one.severity, one.fixed_in) for one in found] == [
        ("libssl3t64", "CVE-2025-9230", Severity.medium, "3.5.1-1+deb13u1"),
        ("dash", "CVE-2025-1", Severity.high, ""),
        ("etl_images/load/Dockerfile", "DS-0002", Severity.high, ""),
        ("/opt/key.pem", "private-key", Severity.high, ""),
    ]
    assert found[0].where == "3.5.1-1 in load"


def test_where_it_is_not_that_is_said(tmp_path: Path) -> None:
    """In one line; it fails nothing, since everything else was looked at."""
    outcome = check_trivy(tmp_path / "nothing", ["load"])

    assert outcome.note.startswith("Trivy is not here")
    assert (outcome.findings, outcome.troubles) == ((), ())


def test_a_report_that_is_missing_is_no_pass(tmp_path: Path) -> None:
    """Where Trivy is here, but could not load what it compares with."""
    (tmp_path / "repository.json").write_text(json.dumps({"SchemaVersion": 2}))
    (tmp_path / "load.error").write_text("INFO\nFATAL failed to download vulnerability DB\n")
    (tmp_path / "extract.json").write_text("")

    outcome = check_trivy(tmp_path, ["load", "extract"])

    assert outcome.troubles == (
        "load: Trivy gave no report: FATAL failed to download vulnerability DB",
        "extract: Trivy gave no report",
    )
