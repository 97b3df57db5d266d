"""docs/alerts.md: its files can be pasted, its table of fields is whole, its addresses are such that can be sent to."""

import re
from pathlib import Path

import apprise
import pytest
import yaml

from etl_platform import Pipeline, read_pipeline
from etl_platform._alerts import AlertEvent, Alerts, AlertSettings, read_alert_defaults
from tests.docs.pages import ROOT, blocks, commands, first_cells, make_targets, section
from tests.etl_alerts.conftest import YAML

PAGE = ROOT / "docs" / "alerts.md"
ADDRESSES = re.findall(r"^\| .* \| `(\w+://[^`]+)`", PAGE.read_text(), re.MULTILINE)
# What stands for a part of one's own, where its form matters.
OWN = {
    "TOKEN_A": "T1JJ3T3L2",
    "TOKEN_B": "A1BRTD4JD",
    "TOKEN_C": "TIiajkdnlazkcOXrIdevi7FQ",
    "HOST:PORT": "prod-01.logic.example.org:443",
    "WORKFLOW": "643e69f83c8944",
    "SIGNATURE": "KODuebWbDGYFr0z0eu",
}


@pytest.mark.parametrize("block", blocks(PAGE, "yml"))
def test_defaults_can_be_pasted(block: tuple[str, str], tmp_path: Path) -> None:
    """They hold as they are shown."""
    (tmp_path / "defaults.yaml").write_text(block[1])

    assert isinstance(read_alert_defaults(tmp_path / "defaults.yaml"), AlertSettings)


@pytest.mark.parametrize("block", blocks(PAGE, "yaml"))
def test_sections_of_pipelines_can_be_pasted(block: tuple[str, str], tmp_path: Path) -> None:
    """A pipeline with one has no problem."""
    (tmp_path / "orders.yaml").write_text(YAML + block[1])

    assert isinstance(read_pipeline(tmp_path / "orders.yaml"), Pipeline)


def test_every_field_and_event_is_told() -> None:
    """What a file may say, with its default, and nothing else."""
    told = first_cells(section(PAGE, "For all pipelines"))
    shipped = yaml.safe_load((ROOT / "config" / "alerts" / "defaults.yaml").read_text())

    assert set(told) == set(AlertSettings.model_fields) == set(Alerts.model_fields) == set(shipped)
    assert AlertSettings.model_validate(shipped) == AlertSettings()
    assert set(first_cells(section(PAGE, "What is told, and how often"))) == {event.value for event in AlertEvent}


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_is_of_a_form_that_can_be_sent_to(address: str) -> None:
    """With one's own words in it."""
    for word, own in OWN.items():
        address = address.replace(word, own)

    assert apprise.Apprise().add(address)


def test_every_command_is_there() -> None:
    """A reader may paste them."""
    targets = {line.split()[1] for line in commands(PAGE)}

    assert len(ADDRESSES) > 4
    assert targets <= make_targets()
