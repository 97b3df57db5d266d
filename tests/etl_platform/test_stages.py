"""What a stage's container may reach, by what its pipeline reads."""

from pathlib import Path
from typing import Any

import pytest

from etl_contract import StageName
from etl_docker_guard._policy import load_policy
from etl_platform import Pipeline, read_pipeline
from etl_platform._settings import Settings
from etl_platform._stages import host_config, image

POLICY = Path(__file__).parents[2] / "config" / "docker_guard.yaml"
DATABASE = "{sql: source, table: orders}"
WEB = "{http: 'https://example.org/orders.csv', connection: shop}"
INBOX = "{files: 'orders/*.csv'}"
STORE = "{files: 's3://bucket/orders/*.csv', connection: store}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of an installation."""
    return Settings("etl", "local", "0123456789abcdef", "tcp://docker-guard:2375", tmp_path)


def _pipeline(folder: Path, *sources: str) -> Pipeline:
    lines = [f"  orders{number}: {source}" for number, source in enumerate(sources)]
    text = "\n".join(["extract:", *lines, "load: {orders0: {table: orders, mode: upsert, key: [id]}}"])
    (folder / "orders.yaml").write_text(text)
    pipeline = read_pipeline(folder / "orders.yaml")
    assert isinstance(pipeline, Pipeline), str(pipeline)
    return pipeline


def _targets(host: dict[str, Any]) -> dict[str, bool]:
    return {mount["Target"]: mount["ReadOnly"] for mount in host["mounts"]}


@pytest.mark.parametrize(
    ("sources", "network", "secrets"),
    [
        ([DATABASE], "data", {"source"}),
        ([WEB], "egress", {"shop"}),
        ([DATABASE, WEB], "egress", {"shop", "source"}),
        ([INBOX], "data", {"warehouse"}),
        ([STORE], "egress", {"store", "warehouse"}),
    ],
)
def test_extract_has_a_way_out_only_where_a_source_is_elsewhere(
    settings: Settings, tmp_path: Path, sources: list[str], network: str, secrets: set[str]
) -> None:
    """A pipeline of databases and files of the inbox cannot leave the machine, and sees no secret but its own."""
    host = host_config(StageName.extract, _pipeline(tmp_path, *sources), settings)

    assert host["network_mode"] == f"etl_{network}"
    assert {target for target in _targets(host) if "secrets" in target} == {
        f"/run/secrets/connections/{name}" for name in secrets
    }


def test_the_inbox_is_seen_by_who_reads_it_and_changed_by_nobody(settings: Settings, tmp_path: Path) -> None:
    """Only the extract of a pipeline with files of the inbox mounts it, to read."""
    with_files, without = (_pipeline(tmp_path, source) for source in (INBOX, STORE))

    assert _targets(host_config(StageName.extract, with_files, settings))["/inbox"]
    assert "/inbox" not in _targets(host_config(StageName.extract, without, settings))
    assert "/inbox" not in _targets(host_config(StageName.load, with_files, settings))


@pytest.mark.parametrize("stage", [stage for stage in StageName if stage is not StageName.transform])
@pytest.mark.parametrize("source", [DATABASE, WEB, INBOX, STORE])
def test_the_guard_allows_what_is_asked_for(settings: Settings, tmp_path: Path, stage: StageName, source: str) -> None:
    """config/docker_guard.yaml and the operator agree."""
    rule = load_policy(POLICY, project="etl", tag="local").images[image(stage, settings)]
    host = host_config(stage, _pipeline(tmp_path, source), settings)

    assert host["network_mode"] in rule.networks
    for mount in host["mounts"]:
        allowed = rule.mount_at(mount["Target"])
        assert allowed is not None
        assert allowed.volume == mount["Source"]
