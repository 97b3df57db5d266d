"""docs/operations.md: what it lists is all that there is, and as it is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_secrets import FILES
from tests.docs.pages import OPERATIONS, ROOT, first_cells, make_targets, section

SOURCES = ("config", "etl_images", "plugins", "setup")
AIRFLOWS_OWN = {"AirflowTaskTimeout"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Give docker-compose.yml, with every variable at its default."""
    text = (ROOT / "docker-compose.yml").read_text()
    value: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))
    return value


def test_every_make_target_is_described_and_nothing_else() -> None:
    """The page agrees with the Makefile."""
    described = [cell.removeprefix("make ") for cell in first_cells(section(OPERATIONS, "Commands"))]

    assert sorted(described) == sorted(make_targets())


def test_every_variable_is_described_and_nothing_else(compose: dict[str, Any]) -> None:
    """What may stand in .env, and what Compose takes from the environment."""
    described = set(first_cells(section(OPERATIONS, "Settings")))
    example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    taken = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert described == example | taken


def test_the_defaults_of_variables_are_those_of_compose() -> None:
    """A default that is told is the one that holds."""
    text = (ROOT / "docker-compose.yml").read_text()
    table = section(OPERATIONS, "Settings")
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", table, re.MULTILINE))

    for name, default in told.items():
        assert set(re.findall(rf"\$\{{{name}:-([^}}]*)\}}", text)) == {default}, name


def test_every_service_is_described_with_its_limits(compose: dict[str, Any]) -> None:
    """Memory and cores are those of docker-compose.yml."""
    table = section(OPERATIONS, "What runs where")
    told = re.findall(r"^\| `([\w-]+)` \| (\w+), ([\d.]+) \|", table, re.MULTILINE)
    services = {name: service for name, service in compose["services"].items() if service.get("scale") != 0}

    expected = [(name, service["mem_limit"], str(service["cpus"])) for name, service in services.items()]
    assert told == expected


def test_every_network_is_described_with_its_addresses(compose: dict[str, Any]) -> None:
    """Names, addresses and who may leave the machine."""
    told = re.findall(r"^\| `(\w+)` \| (\.\d+/\d+)(, internal)? \|", section(OPERATIONS, "Networks"), re.MULTILINE)

    networks = {
        name: (network["ipam"]["config"][0]["subnet"], network) for name, network in compose["networks"].items()
    }
    assert {(name, addresses, bool(internal)) for name, addresses, internal in told} == {
        (name, f".{subnet.rpartition('.')[2]}", network.get("internal", False))
        for name, (subnet, network) in networks.items()
    }


def test_every_volume_is_described(compose: dict[str, Any]) -> None:
    """Each says what is lost with it."""
    assert set(first_cells(section(OPERATIONS, "Back up and restore"))) == set(compose["volumes"])


def test_every_secret_is_described_with_its_reader() -> None:
    """The table of files is that of the service `secrets`."""
    told = re.findall(r"^\| `([\w/.]+)` \| (\d+) \|", section(OPERATIONS, "Secrets"), re.MULTILINE)

    assert sorted((path, int(owner)) for path, owner in told) == sorted((file.path, file.owner) for file in FILES)


def test_every_role_is_described_with_its_limits() -> None:
    """The roles are those of roles.sql, and the superuser."""
    sql = (ROOT / "config" / "postgres" / "roles.sql").read_text()
    roles = re.findall(r"^ +\('(\w+)', +(\d+), '", sql, re.MULTILINE)
    disk = dict(re.findall(r"^ALTER ROLE (\w+) +SET temp_file_limit = '(\w+)'", sql, re.MULTILINE))
    row = r"^\| `(\w+)` \|.*\| (\d*) ?\| ([\w ]*?) ?\|$"
    told = re.findall(row, section(OPERATIONS, "Who may do what"), re.MULTILINE)

    wanted = [(role, connections, disk[role].replace("GB", " GB")) for role, connections in roles]
    assert sorted(told) == sorted([*wanted, ("postgres", "", "")])


def test_every_message_with_a_remedy_is_one_that_is_said() -> None:
    """The words in the table of failures are in the code; an ellipsis stands for what differs."""
    code = "\n".join(_joined(file) for folder in SOURCES for file in sorted((ROOT / folder).rglob("*")))
    messages = first_cells(section(OPERATIONS, "When something fails"))
    unsaid = [
        message
        for message in set(messages) - AIRFLOWS_OWN
        if not all(part.strip(" .':") in code for part in message.split("…") if len(part.strip(" .':")) > 3)
    ]

    assert len(messages) > 10
    assert unsaid == []


def _joined(file: Path) -> str:
    """Give a program's text with strings that go on in the next line put together."""
    if file.suffix not in {".py", ".sh"}:
        return ""
    return re.sub(r"\"\n\s*f?\"", "", file.read_text())
