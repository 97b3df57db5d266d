"""What a pipeline may do with the rows that a cursor brings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_contract import StageName
from etl_platform._pipeline import Broken, Pipeline, read_pipeline
from etl_platform._settings import Settings
from etl_platform._stages import host_config

ORDERS = {"sql": "source", "table": "orders", "cursor": "updated_at"}


def _read(folder: Path, **sections: Any) -> Pipeline | Broken:  # noqa: ANN401 - as in YAML
    file = folder / "shop.yaml"
    file.write_text(yaml.safe_dump(sections))
    return read_pipeline(file)


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ({}, {"mode": "replace"}, "load.orders: mode: replace would keep only what a cursor brings"),
        (
            {},
            {"mode": "partition", "partition": "day"},
            "load.orders: mode: partition would keep only what a cursor brings",
        ),
        (
            {},
            {"mode": "upsert", "key": ["id"], "delete": "missing"},
            "delete: missing would delete what a cursor does not",
        ),
        ({"lookback": 1}, {"mode": "append"}, "mode: append would add again what a lookback reads again"),
        ({"lookback": 0}, {"mode": "append"}, "mode: append would add again what a lookback reads again"),
        ({"cursor": None, "lookback": 1}, {"mode": "append"}, "'lookback' belongs to 'cursor', which is not there"),
        ({"lookback": "soon"}, {"mode": "append"}, "'soon' is not a span of time"),
    ],
)
def test_what_would_lose_or_repeat_rows_is_refused(
    tmp_path: Path, source: dict[str, Any], target: dict[str, Any], problem: str
) -> None:
    """The message says what would happen, and what to use instead."""
    orders = {key: value for key, value in (ORDERS | source).items() if value is not None}
    found = _read(tmp_path, extract={"orders": orders}, load={"orders": {"table": "mart.orders", **target}})

    assert isinstance(found, Broken)
    assert problem in str(found)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ({}, {"mode": "append"}),
        ({"lookback": "2 days"}, {"mode": "upsert", "key": ["id"]}),
        ({"lookback": 100}, {"mode": "history", "key": ["id"]}),
    ],
)
def test_what_adds_up_is_taken(tmp_path: Path, source: dict[str, Any], target: dict[str, Any]) -> None:
    """New rows are added, or replace those of their key; a source without a cursor is as ever beside it."""
    found = _read(
        tmp_path,
        extract={"orders": ORDERS | source, "shops": {"sql": "source", "table": "shops"}},
        load={"orders": {"table": "mart.orders", **target}, "shops": {"table": "mart.shops", "mode": "replace"}},
    )

    assert isinstance(found, Pipeline), found


@pytest.mark.parametrize(("connection", "network", "inbox"), [("source", "data", False), ("erp", "egress", True)])
def test_a_connection_of_ones_own_may_lead_anywhere(
    tmp_path: Path,
    connection: str,
    network: str,
    inbox: bool,  # noqa: FBT001 - a table of cases
) -> None:
    """It has a way out, and sees the inbox, where a SQLite file may be; the platform's own databases need neither."""
    found = _read(
        tmp_path,
        extract={"orders": ORDERS | {"sql": connection}},
        load={"orders": {"table": "mart.orders", "mode": "append"}},
    )
    assert isinstance(found, Pipeline), found
    settings = Settings("etl", "local", "0123456789abcdef", "tcp://docker-guard:2375", tmp_path)

    config = host_config(StageName.extract, found, settings)

    assert config["network_mode"].endswith(f"_{network}")
    assert ("/inbox" in {mount["Target"] for mount in config["mounts"]}) is inbox
    assert "/run/secrets/connections/warehouse" in {mount["Target"] for mount in config["mounts"]}
