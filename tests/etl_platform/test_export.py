"""Pipelines that write files: what they may leave out, and what their load may reach."""

from pathlib import Path
from typing import Any

import pytest

from etl_contract import StageName
from etl_docker_guard._policy import load_policy
from etl_platform import Broken, Pipeline, read_pipeline
from etl_platform._settings import Settings
from etl_platform._stages import host_config, image

POLICY = Path(__file__).parents[2] / "config" / "docker_guard.yaml"
VOLUME = "{format: csv, to: 'orders/{start:%Y-%m-%d}.csv'}"
STORE = "{format: csv, to: 's3://bucket/orders.csv', connection: store}"


def _read(folder: Path, sections: str) -> Pipeline | Broken:
    (folder / "orders.yaml").write_text(f"extract:\n  orders: {{sql: source, table: orders}}\n{sections}\n")
    return read_pipeline(folder / "orders.yaml")


def _load(folder: Path, sections: str) -> dict[str, Any]:
    """Give what the load's container is started with, after the guard's policy has been asked."""
    pipeline = _read(folder, sections)
    assert isinstance(pipeline, Pipeline), str(pipeline)
    settings = Settings("etl", "local", "0123456789abcdef", "tcp://docker-guard:2375", folder)
    host = host_config(StageName.load, pipeline, settings)
    rule = load_policy(POLICY, project="etl", tag="local").images[image(StageName.load, settings)]
    assert host["network_mode"] in rule.networks
    for mount in host["mounts"]:
        allowed = rule.mount_at(mount["Target"])
        assert allowed is not None
        assert allowed.volume == mount["Source"]
    return {"network": host["network_mode"], **{mount["Target"]: mount["ReadOnly"] for mount in host["mounts"]}}


def test_a_pipeline_may_export_and_load_nothing(tmp_path: Path) -> None:
    """It has the same stages: load writes the files."""
    pipeline = _read(tmp_path, f"export: {{orders: {VOLUME}}}")

    assert isinstance(pipeline, Pipeline), str(pipeline)
    assert pipeline.stages == (StageName.extract, StageName.load)


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ("retries: 1", "line 1, load: required, but not there; write it, or 'export', or both"),
        ("export: {}", "line 3, export: "),
        (f"export:\n  order: {VOLUME}", "line 3, export: 'order' is no source; did you mean 'orders'?"),
        (
            f"export:\n  orders: [{VOLUME}, {VOLUME}]",
            "line 3, export: two datasets go to 'orders/{start:%Y-%m-%d}.csv'",
        ),
        ("export:\n  orders: {format: cvs, to: a.csv}", "line 4, export.orders.format: 'cvs' is none of"),
        ("export:\n  orders: {format: csv, to: ../a}", "line 4, export.orders.to: '../a' has an empty part"),
        ("export:\n  orders:\n    - {format: csv}", "line 5, export.orders.1.to: required, but not there"),
        ("export:\n  orders: {format: csv, to: a, bomb: 1}", "export.orders.bomb: no such field; did you mean 'bom'?"),
    ],
)
def test_a_problem_is_told_by_line(tmp_path: Path, sections: str, problem: str) -> None:
    """As everywhere in the file."""
    broken = _read(tmp_path, sections)

    assert isinstance(broken, Broken)
    assert problem in str(broken)


def test_load_reaches_what_it_writes_to_and_no_more(tmp_path: Path) -> None:
    """The volume, to read and write; the keys of a store, and a way out, only where a file goes there."""
    table = "load: {orders: {table: orders, mode: upsert, key: [id]}}"

    assert _load(tmp_path, table) == {"network": "etl_data", "/runs/orders": True, "/run/secrets/warehouse": True}
    assert _load(tmp_path, f"{table}\nexport: {{orders: {VOLUME}}}")["/exports"] is False
    assert _load(tmp_path, f"export: {{orders: {STORE}}}") == {
        "network": "etl_egress",
        "/runs/orders": True,
        "/run/secrets/warehouse": True,
        "/run/secrets/connections/store": True,
    }
