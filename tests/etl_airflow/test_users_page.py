"""docs/users.md: its tables are what the server does, and its commands work."""

import re
import shlex

import pytest

from etl_airflow.headers import HEADERS
from tests.docs.pages import ROOT, commands, first_cells, section
from tests.etl_airflow.people import TOO_MANY, anyone, by_token, let_in, new_person
from tests.etl_airflow.test_roles import ACTIONS, ROLES
from tests.etl_reports.site import Site

PAGE = ROOT / "docs" / "users.md"
IN_ONE_PROCESS = """
import sys
from airflow.__main__ import main
for command in {commands!r}:
    sys.argv = command
    main()
"""
IN_AIRFLOW = "docker compose exec airflow-apiserver "


def test_the_table_of_roles_is_what_is_tried() -> None:
    """Line by line, in the same order, with a mark for each role that may."""
    told = re.findall(r"^\| ([^|`]+?) \|([^\n]*)\|$", section(PAGE, "Roles"), re.MULTILINE)[1:]
    told = [(what, [cell.strip() for cell in cells.split("|")]) for what, cells in told if "---" not in what]
    least = {action.does: action.least for action in ACTIONS}
    tried = [
        (what, ["yes" if role in ROLES and name in ROLES[ROLES.index(role) :] else "" for name in ROLES[1:]])
        for what, role in least.items()
    ]

    assert told == tried


def test_the_table_of_limits_is_what_holds() -> None:
    """The numbers are those of the configuration."""
    text = (ROOT / "config" / "airflow" / "webserver_config.py").read_text()
    limits = re.findall(r"Limit\(free=(\d+), first=(\d+), longest=(\d+)\)", text)
    told = re.findall(r"\| (\d+) \| (\d+) s \| (\d+) s \|$", section(PAGE, "Passwords that are tried"), re.MULTILINE)

    assert len(told) == 3
    assert told == limits


def test_every_header_is_described() -> None:
    """And nothing else."""
    told = first_cells(section(PAGE, "What every answer bears"))

    assert sorted(told) == sorted([*HEADERS, "Cross-Origin-Opener-Policy"])


@pytest.mark.integration
def test_the_commands_do_what_they_say(door: Site) -> None:
    """In their order: a person is added, gets another role and password, and is removed."""
    words = [line.removeprefix(IN_AIRFLOW).split() for line in commands(PAGE) if line.startswith(IN_AIRFLOW)]
    *before, last = [[*command] for command in words]
    asked = ["a-long-password"] * 2 + ["another-long-one"] * 2
    said = door.python(IN_ONE_PROCESS.format(commands=before), "\n".join(asked))
    with anyone(door, "127.0.1.200") as client:
        old, new = by_token(client, "ada", asked[0]), by_token(client, "ada", asked[2])
        headers = {"Authorization": f"Bearer {new.json()['access_token']}"}
        paused = client.patch("/api/v2/dags/orders", json={"is_paused": False}, headers=headers)
        door.python(IN_ONE_PROCESS.format(commands=[last]))
        gone = by_token(client, "ada", asked[2])

    assert len(before) == 5
    assert "ada@example.org" in said
    assert [let_in(answer) for answer in (old, new, gone)] == [False, True, False]
    assert paused.is_success, "the role User may do this"


@pytest.mark.integration
def test_what_was_counted_can_be_forgotten(door: Site) -> None:
    """By the command that the page gives."""
    (statement,) = [line for line in commands(PAGE) if "etl_logins" in line]
    known = new_person(door)
    with anyone(door, "127.0.1.201") as client:
        answers = [by_token(client, known.name, "wrong").status_code for _ in range(6)]
        door.sql(shlex.split(statement)[-1])

        assert answers[-1] == TOO_MANY
        assert let_in(by_token(client, *known))
