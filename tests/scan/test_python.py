"""Python packages: what the lock pins is looked up, and a service that does not know is no pass."""

import tomllib
from pathlib import Path

import pytest

from etl_scan import Config, Finding, Image, Severity
from etl_scan._errors import Unanswered
from etl_scan._findings import Check
from etl_scan._python import KNOWN_TO_BE_BROKEN, Answers, check_python
from tests.scan.advisories import JINJA, advisories, hole_in

ROOT = Path(__file__).parents[2]
LOAD = Image("load", "etl-platform/load:local", "etl-load")
LOCKED = {package["name"]: package["version"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


def _asking(url: str) -> Config:
    return Config.model_validate({"fails_from": "high", "trivy": "none", "advisories": {"service": "osv", "url": url}})


def test_a_hole_is_found_with_the_images_that_have_it() -> None:
    """Its names, the version that is locked, and since when it is mended."""
    with advisories({KNOWN_TO_BE_BROKEN: JINJA, "psycopg": hole_in("psycopg", "99.1")}) as (url, asked):
        outcome = check_python([LOAD], _asking(url), ROOT)

    assert outcome.troubles == ()
    assert outcome.findings == (
        Finding(
            Check.python,
            who="psycopg",
            what="CVE-2099-1",
            severity=Severity.high,
            where=f"{LOCKED['psycopg']} in load, tools",
            fixed_in="99.1",
            title="A hole",
            aliases=outcome.findings[0].aliases,
        ),
    )
    assert "GHSA-test-test-test" in outcome.findings[0].aliases
    assert f"pyarrow=={LOCKED['pyarrow']}" in asked


def test_everything_in_the_lock_is_asked_about() -> None:
    """Each version of the lock, of what images and tools install, once; our own packages are nobody else's."""
    ours = {name for name in LOCKED if name.startswith("etl-")}
    with advisories({KNOWN_TO_BE_BROKEN: JINJA}) as (url, asked):
        outcome = check_python([LOAD], _asking(url), ROOT)

    assert outcome.findings == ()
    assert outcome.troubles == ()
    assert {one.partition("==")[0] for one in asked} & ours == set()
    wrong = [
        one for one in asked if one != KNOWN_TO_BE_BROKEN and LOCKED[one.partition("==")[0]] != one.partition("==")[2]
    ]
    assert wrong == []
    assert len(asked) > 150


def test_a_service_that_knows_nothing_is_not_believed() -> None:
    """Of a version with known holes it must know one; else nothing more is asked."""
    with advisories({}) as (url, asked):
        outcome = check_python([LOAD], _asking(url), ROOT)

    assert asked == [KNOWN_TO_BE_BROKEN]
    assert outcome.findings == ()
    assert "'osv' cannot be relied on, so that nothing is known about any package" in outcome.troubles[0]


def test_a_service_that_is_not_there_is_no_pass() -> None:
    """It says so."""
    with advisories({}) as (url, _):
        pass
    outcome = check_python([LOAD], _asking(url), ROOT)

    (trouble,) = outcome.troubles
    assert "'osv' does not answer, so that nothing is known about any package: pip-audit: " in trouble


def test_a_package_that_was_skipped_is_no_pass() -> None:
    """pip-audit calls it a success when a package list has no such page; here it is what it is: not looked up."""

    def ask(pins: dict[str, list[str]], *_: object) -> Answers:
        if pins == {"known": [KNOWN_TO_BE_BROKEN]}:
            return [{"name": "jinja2", "version": "2.11.2", "vulns": [{"id": "CVE-2020-28493"}]}]
        return [{"name": "psycopg", "skip_reason": "Dependency not found on PyPI and could not be audited: psycopg"}]

    outcome = check_python([LOAD], _asking(""), ROOT, ask)

    assert "could not be audited: psycopg" in outcome.troubles[0]
    assert "was not asked about" in outcome.troubles[1]
    assert "pyarrow" in outcome.troubles[1]


@pytest.mark.parametrize("skipped", [True, False])
def test_a_list_without_pages_is_not_believed(skipped: bool) -> None:  # noqa: FBT001
    """A mirror of PyPI that serves packages alone answers 404 to every question about holes."""

    def ask(*_: object) -> Answers:
        if not skipped:
            raise Unanswered("pip-audit printed no report")
        return [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited"}]

    (trouble,) = check_python([LOAD], _asking(""), ROOT, ask).troubles

    assert "nothing is known about any package" in trouble
    assert ("could not be audited" if skipped else "printed no report") in trouble
