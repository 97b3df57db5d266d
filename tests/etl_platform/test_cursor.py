"""What a pipeline may do with the rows that a cursor brings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_contract import StageName, TakenFile
from etl_platform._pipeline import Broken, Pipeline, read_pipeline
from etl_platform._refresh import refresh_problems
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


VISITS = {"sql": "source", "table": "visits", "where": "at >= :start and at < :end"}
CLICKS = {"files": "clicks/*.csv"}
SHOPS = {"sql": "source", "table": "shops"}


@pytest.mark.parametrize(
    ("sources", "transform", "again", "mixed"),
    [
        ({"visits": VISITS, "clicks": CLICKS}, None, ("visits",), False),
        ({"visits": VISITS, "orders": ORDERS, "shops": SHOPS}, None, ("shops", "visits"), False),
        ({"visits": VISITS, "clicks": CLICKS}, {"sql": {"visits": "select 1"}}, (), True),
        ({"visits": VISITS, "orders": ORDERS}, {"sql": {"visits": "select 1"}}, (), True),
        (
            {"visits": {"http": "https://example.org/{start:%Y}.csv"}, "clicks": CLICKS},
            {"sql": {"visits": "select 1"}},
            (),
            True,
        ),
        ({"shops": SHOPS, "clicks": CLICKS}, {"sql": {"clicks": "select 1"}}, (), False),
        ({"visits": VISITS, "shops": SHOPS}, {"sql": {"visits": "select 1"}}, (), False),
    ],
)
def test_what_comes_again_is_told_from_what_comes_once(
    tmp_path: Path,
    sources: dict[str, Any],
    transform: dict[str, Any] | None,
    again: tuple[str, ...],
    mixed: bool,  # noqa: FBT001 - as above
) -> None:
    """A dataset is its source's where nothing makes others of it; a table to look things up in mixes nothing."""
    sections = {"transform": transform} if transform else {}
    name = "visits" if "visits" in sources else "clicks"
    found = _read(tmp_path, extract=sources, load={name: {"table": "mart.events", "mode": "append"}}, **sections)
    assert isinstance(found, Pipeline), found

    assert (found.again, found.mixed) == (again, mixed)
    file = TakenFile(source="clicks", uri="inbox/clicks/a.csv", bytes=1, sha256="0" * 64)
    assert found.idle(()) == (("clicks",) if "clicks" in sources and not transform else ())
    assert found.idle((file,)) == ()


def test_a_full_refresh_beside_files_does_not_lose_what_is_read_by_no_file(tmp_path: Path) -> None:
    """Each run has added the table as it was then, and no source has those rows any more."""
    target = {"table": "mart.shops", "mode": "append"}
    found = _read(tmp_path, extract={"shops": SHOPS, "clicks": CLICKS}, load={"shops": target})
    assert isinstance(found, Pipeline), found

    assert refresh_problems(found) == ["load.shops: append has rows of earlier runs that the sources do not give again"]


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
