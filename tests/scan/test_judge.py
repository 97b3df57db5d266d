"""What fails, what is let pass, and what people and programs read of it."""

import json
from datetime import date
from typing import Any

import pytest

from etl_scan import Check, Config, Finding, Outcome, Severity, Verdict, judge
from etl_scan._table import as_json, as_text

TODAY = date(2026, 11, 24)
BAD = Finding(Check.python, "jinja2", "PYSEC-2019-217", Severity.high, "2.10 in airflow", "2.10.1", "A sandbox escape",
              aliases=("CVE-2019-10906",))  # fmt: skip
DULL = Finding(Check.debian, "tzdata", "2026c-0+deb13u1", Severity.low, "2026b in airflow", "2026c-0+deb13u1")


def _config(*exceptions: dict[str, Any]) -> Config:
    whole = [
        {"check": "python", "reason": "Nobody calls what is broken.", "until": "2026-12-31"} | one for one in exceptions
    ]
    return Config.model_validate({"fails_from": "medium", "trivy": "none", "exceptions": whole})


def _judged(config: Config, *outcomes: Outcome) -> tuple[Verdict, bool]:
    verdict = judge(outcomes, config, TODAY)
    return verdict, verdict.passed(outcomes)


def test_a_finding_fails_from_the_threshold_on() -> None:
    """What is below is shown, and fails nothing."""
    verdict, passed = _judged(
        _config(), Outcome(Check.python, "2 packages", (BAD,)), Outcome(Check.debian, "", (DULL,))
    )

    assert (verdict.failing, verdict.small, passed) == ((BAD,), (DULL,), False)
    assert _judged(_config(), Outcome(Check.debian, "", (DULL,)))[1]


@pytest.mark.parametrize("what", ["PYSEC-2019-217", "CVE-2019-10906"])
@pytest.mark.parametrize("who", [{}, {"who": "jinja2"}])
def test_an_exception_lets_it_pass_by_any_of_its_names(what: str, who: dict[str, str]) -> None:
    """Everywhere, or with whom it names."""
    verdict, passed = _judged(_config({"what": what} | who), Outcome(Check.python, "", (BAD,)))

    assert passed
    assert [finding for finding, _ in verdict.excepted] == [BAD]


@pytest.mark.parametrize("other", [{"who": "flask"}, {"what": "CVE-2019-1"}, {"check": "debian"}])
def test_an_exception_for_another_lets_nothing_pass(other: dict[str, str]) -> None:
    """And is told, since it matches nothing."""
    outcomes = (Outcome(Check.python, "", (BAD,)), Outcome(Check.debian, ""))
    verdict, passed = _judged(_config({"what": "CVE-2019-10906"} | other), *outcomes)

    assert not passed
    assert len(verdict.needless) == 1


def test_an_exception_is_over_after_its_last_day() -> None:
    """On that day it still holds."""
    outcome = Outcome(Check.python, "", (BAD,))

    assert _judged(_config({"what": BAD.what, "until": "2026-11-24"}), outcome)[1]
    verdict, passed = _judged(_config({"what": BAD.what, "until": "2026-11-23"}), outcome)
    assert not passed
    assert (verdict.failing, len(verdict.expired)) == ((BAD,), 1)


def test_a_check_that_could_not_be_made_is_no_pass() -> None:
    """Without any finding; and no exception is called needless for it."""
    outcome = Outcome(Check.python, "250 packages", troubles=("the service does not answer",))
    verdict, passed = _judged(_config({"what": "CVE-1"}), outcome)

    assert not passed
    assert verdict.needless == ()
    assert (
        as_text([outcome], verdict)
        == """\
== python: 250 packages, not checked
   not checked: the service does not answer

== no findings fail, not checked: python"""
    )


def test_what_people_read() -> None:
    """A table for each check, and the sum of it."""
    outcomes = [Outcome(Check.python, "250 packages", (BAD,)), Outcome(Check.debian, "11 images", (DULL,))]
    config = _config({"what": BAD.what, "until": "2026-11-01"}, {"what": "CVE-2099-1"})

    assert (
        as_text(outcomes, judge(outcomes, config, TODAY))
        == """\
== python: 250 packages, 1 finding
   who     where            what            severity  fixed in  is                so
   jinja2  2.10 in airflow  PYSEC-2019-217  high      2.10.1    A sandbox escape  fails

== debian: 11 images, 1 finding
   who     where             what             severity  fixed in         is  so
   tzdata  2026b in airflow  2026c-0+deb13u1  low       2026c-0+deb13u1      small

   expired on 2026-11-01: the exception for python PYSEC-2019-217 in config/scan.yaml
   matches nothing, and may go: the exception for python CVE-2099-1 in config/scan.yaml
== 1 finding fails, 1 below the threshold"""
    )


def test_what_programs_read() -> None:
    """One document with the same."""
    outcomes = [Outcome(Check.python, "250 packages", (BAD,)), Outcome(Check.trivy, "", note="Trivy is not here")]
    told = json.loads(as_json(outcomes, judge(outcomes, _config({"what": BAD.what}), TODAY)))

    assert told["passed"]
    assert [(check["check"], check["checked"]) for check in told["checks"]] == [("python", True), ("trivy", False)]
    assert (
        told["checks"][0]["findings"][0] | {"what": "PYSEC-2019-217", "so": "let pass until 2026-12-31"}
        == (told["checks"][0]["findings"][0])
    )
