"""The guard that tests attack is confined as the service of docker-compose.yml is, no more and no less."""

import re
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from docker.utils import parse_bytes

from tests.docker_guard.running import POLICY
from tests.docker_guard.shipped import ENVIRONMENT, USER, hardened

COMPOSE = POLICY.parents[1] / "docker-compose.yml"
# What a service may say that has nothing to do with what it may do.
HARMLESS = {"image", "build", "restart", "logging", "healthcheck", "depends_on"}
Document = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Document:
    """Give docker-compose.yml, with every variable at its default."""
    document: Document = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text()))
    return document


@pytest.fixture
def host(tmp_path: Path) -> Document:
    """Give what the container of the tests may have."""
    with docker.APIClient("tcp://127.0.0.1:1", version="1.45") as client:
        return hardened(client, tmp_path)


def test_the_attacked_guard_is_the_shipped_one(compose: Document, host: Document) -> None:
    """User, capabilities, limits, what can be written, and what is mounted are the same."""
    service = compose["services"]["docker-guard"]
    binds = [bind.split(":") for bind in host["Binds"]]
    mounts = [
        (volume["target"], volume.get("read_only", False))
        if isinstance(volume, dict)
        else (volume.split(":")[1], volume.endswith(":ro"))
        for volume in service["volumes"]
    ]

    said = {
        "user": USER,
        "environment": set(ENVIRONMENT),
        "read_only": host["ReadonlyRootfs"],
        "cap_drop": host["CapDrop"],
        "cap_add": host["CapAdd"],
        "security_opt": host["SecurityOpt"],
        "pids_limit": host["PidsLimit"],
        "tmpfs": [f"{place}:{options}" for place, options in host["Tmpfs"].items()],
        "mem_limit": host["Memory"],
        "memswap_limit": host["MemorySwap"],
        "cpus": host["CpuQuota"] / 100_000,
        "volumes": [(bind[1], bind[2:] == ["ro"]) for bind in binds],
    }
    assert said == {
        **{key: service[key] for key in said},
        "environment": set(service["environment"]),
        "mem_limit": parse_bytes(service["mem_limit"]),
        "memswap_limit": parse_bytes(service["memswap_limit"]),
        "volumes": mounts,
    }
    assert service.keys() - said.keys() - HARMLESS == {"networks"}


def test_it_is_in_one_network_without_a_way_out(compose: Document) -> None:
    """So is the network that the tests make for it."""
    (network,) = compose["services"]["docker-guard"]["networks"]

    assert compose["networks"][network]["internal"] is True
    others = {name for name, service in compose["services"].items() if network in service.get("networks", [])}
    assert others == {"docker-guard", "airflow-scheduler"}
