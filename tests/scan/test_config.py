"""config/scan.yaml: what is let pass says why and until when, and a mistake is told by its line."""

from datetime import date
from pathlib import Path

import pytest

from etl_scan import Check, Misconfigured, Severity, read_config

ROOT = Path(__file__).parents[2]
GOOD = """\
fails_from: medium
trivy: aquasec/trivy:0.73.0
exceptions:
  - check: rules
    what: CIS 5.15
    who: postgres
    reason: A server must come back by itself.
    until: 2027-11-30
"""


def _read(folder: Path, text: str) -> str:
    """Give what is told of a file with mistakes."""
    file = folder / "scan.yaml"
    file.write_text(text)
    with pytest.raises(Misconfigured) as told:
        read_config(file)
    return str(told.value).replace(str(file), "scan.yaml")


def test_what_is_shipped_is_read() -> None:
    """Every exception has its reason and its last day."""
    config = read_config(ROOT / "config" / "scan.yaml")

    assert config.fails_from is Severity.medium
    assert all(one.reason and one.until for one in config.exceptions)
    assert "@sha256:" in config.trivy


def test_it_is_read(tmp_path: Path) -> None:
    """One who is a list of one."""
    (tmp_path / "scan.yaml").write_text(GOOD)
    (one,) = read_config(tmp_path / "scan.yaml").exceptions

    assert (one.who, one.until) == (("postgres",), date(2027, 11, 30))
    assert one.covers(Check.rules, "postgres", "CIS 5.15", "OWASP 7")
    assert not one.covers(Check.rules, "airflow-scheduler", "CIS 5.15")
    assert not one.covers(Check.debian, "postgres", "CIS 5.15")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("fails_from: medium", "fails_form: medium", "line 1, fails_form: no such field; did you mean 'fails_from'?"),
        ("    reason: A", "    reasn: A", "line 7, exceptions.1.reasn: no such field; did you mean 'reason'?"),
        ("    until: 2027-11-30\n", "", "line 4, exceptions.1.until: required, but not there"),
        ("    until: 2027-11-30", "    until: soon", "line 8, exceptions.1.until: "),
        ("    until: 2027-11-30", "    until: 2027-13-30", "line 8, exceptions.1.until: '2027-13-30' cannot be read"),
        ("A server must come back by itself.", "because", "line 7, exceptions.1.reason: "),
        ("check: rules", "check: pyhton", "line 4, exceptions.1.check: 'pyhton' is none of"),
        ("fails_from: medium", "fails_from: bad", "line 1, fails_from: 'bad' is none of"),
        ("    who: postgres", "    who: postgres\n    who: airflow", "line 7, exceptions.1.who: stands twice"),
        (GOOD, "", "this file is empty"),
        (GOOD, "{", "line 1: this is no YAML"),
    ],
)
def test_a_mistake_is_told_by_its_line(old: str, new: str, told: str, tmp_path: Path) -> None:
    """Nothing is let pass by a misspelt word."""
    assert old in GOOD
    assert told in _read(tmp_path, GOOD.replace(old, new))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """As of pipelines."""
    told = _read(tmp_path, GOOD.replace("medium", "bad").replace("until", "untill"))

    assert told.startswith("scan.yaml has 3 problems:\n  line 1, fails_from")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(Misconfigured, match=r"nothing\.yaml: No such file"):
        read_config(tmp_path / "nothing.yaml")
