"""Looks for known holes in the images, and lists what they are made of.

    docker compose config ──_images──► Image ──_python, _debian──┐
    etl_images/**/Dockerfile ──────────────────_dockerfiles──────┤
    .cache/scan/trivy/*.json (setup/trivy.sh) ─_trivy────────────┤
                                                                 ▼
    config/scan.yaml ──_config──► Config ──────────_judge──► Finding ──► Verdict ──_table──► what people read
                                    │
    tests/rules, tests/postgres ◄───┘ exceptions from rules

    Image ──_packages──► Package ──_sbom──► CycloneDX

A check that could not be made is no pass: its Outcome says what is in the way.
"""

from etl_scan._config import Config, ScanException, read_config
from etl_scan._errors import Misconfigured, ScanError, Unanswered
from etl_scan._findings import Check, Finding, Outcome, Severity
from etl_scan._images import Image, images_of
from etl_scan._judge import Verdict, judge
from etl_scan._packages import Package, packages_of
from etl_scan._sbom import sbom

__all__ = [
    "Check",
    "Config",
    "Finding",
    "Image",
    "Misconfigured",
    "Outcome",
    "Package",
    "ScanError",
    "ScanException",
    "Severity",
    "Unanswered",
    "Verdict",
    "images_of",
    "judge",
    "packages_of",
    "read_config",
    "sbom",
]
