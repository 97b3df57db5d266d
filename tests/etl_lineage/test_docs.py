"""docs/lineage.md: its settings can be pasted, its event is one, its tables are whole, its commands are there."""

import json
from pathlib import Path

import pytest

from etl_lineage._settings import Events, LineageSettings, read_lineage_settings
from tests.docs.pages import ROOT, blocks, commands, first_cells, make_targets, section
from tests.etl_lineage.conftest import extracted, fact, loaded, made, transformed, transforming, visualized
from tests.etl_lineage.schemas import complaints

PAGE = ROOT / "docs" / "lineage.md"


@pytest.mark.parametrize("block", blocks(PAGE, "yml"))
def test_settings_can_be_pasted(block: tuple[str, str], tmp_path: Path) -> None:
    """They hold as they are shown."""
    (tmp_path / "settings.yaml").write_text(block[1])

    assert isinstance(read_lineage_settings(tmp_path / "settings.yaml"), LineageSettings)


def test_every_field_is_told() -> None:
    """With every place where events may go, and nothing else."""
    table = section(PAGE, "Switch it on")

    assert set(first_cells(table)) == set(LineageSettings.model_fields)
    assert all(f"`{place}`" in table for place in Events)


def test_the_event_that_is_shown_is_one() -> None:
    """By OpenLineage's own schemas."""
    (block,) = blocks(PAGE, "json")
    event = json.loads(block.text)

    assert complaints(event) == []
    assert event["job"]["name"] == "airlines.extract"
    assert event["outputs"][0]["facets"].keys() == {"schema", "columnLineage"}


def test_every_facet_is_told_and_nothing_else() -> None:
    """Of all stages, with all that they may have."""
    pandas = fact(transforming({"pandas": "orders.py:change"}, **{"orders.py": ""}))
    facts = [extracted(), transformed(), loaded(), visualized(), pandas]
    facts = [each.model_copy(update={"problem": "a problem", "description": "Orders"}) for each in facts]
    there: set[str] = set()
    for event in map(made, facts):
        parts = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
        there |= {name for part in parts for key in part if key.lower().endswith("facets") for name in part[key]}
    table = section(PAGE, "What is told")
    told = {
        word for line in table.splitlines() if line.startswith("| `") for word in line.split("|")[1].split("`")[1::2]
    }

    assert told == there


def test_every_command_is_there() -> None:
    """A reader may paste them."""
    assert {line.split()[1] for line in commands(PAGE)} <= make_targets()
