"""docs/security.md: its rules are those that are tested, and each promise names its tests."""

import re
from pathlib import Path

from etl_scan import read_config
from etl_scan.__main__ import _CHECKS
from tests.docs.pages import SECURITY, blocks, first_cells, section
from tests.postgres import test_rules as postgres
from tests.rules import container_rules, dockerfiles, images

OF_POSTGRES = [*postgres.OF_DATABASES, *postgres.OF_OWNERS, *postgres.OF_ROLES, *postgres.OF_SERVER]


def test_every_rule_is_listed_and_nothing_else() -> None:
    """By its numbers and its title, in order."""
    told = re.findall(r"^\| (`.+`) \| \w+ \| (.+) \|$", section(SECURITY, "The rules"), re.MULTILINE)

    assert told == [
        (", ".join(f"`{number}`" for number in one.ids), one.title)
        for one in (*container_rules.RULES, *dockerfiles.RULES, *images.RULES, *OF_POSTGRES)
    ]


def test_the_rules_are_counted() -> None:
    """As many as there are."""
    counts = [len(container_rules.RULES), len(dockerfiles.RULES), len(images.RULES), len(OF_POSTGRES)]
    text = " ".join(section(SECURITY, "The rules").split())

    assert f"{sum(counts)} rules are checked: {counts[0]} about containers" in text
    assert (
        f"{counts[1]} about Dockerfiles, {counts[2]} about images as they are built, {counts[3]} about PostgreSQL."
        in text
    )


def test_every_promise_names_its_tests() -> None:
    """A promise that nothing holds is none: each line leads to tests."""
    rows = re.findall(r"^\| (?!promise|---)(.+?) \| (.+) \|$", section(SECURITY, "Promises"), re.MULTILINE)

    assert len(rows) > 10
    assert [promise for promise, tests in rows if "](../tests/" not in tests] == []


def test_every_check_of_the_scan_is_described() -> None:
    """And nothing else."""
    assert first_cells(section(SECURITY, "Known holes")) == [str(check) for check in _CHECKS]


def test_the_exception_that_is_shown_can_be_written(tmp_path: Path) -> None:
    """It is one that config/scan.yaml takes."""
    shown = next(block.text for block in blocks(SECURITY, "text") if block.text.startswith("exceptions:"))
    file = tmp_path / "scan.yaml"
    file.write_text(f"fails_from: high\ntrivy: none\n{shown}")

    (exception,) = read_config(file).exceptions
    assert exception.what == "CVE-2099-12345"
