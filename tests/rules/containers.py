"""Containers as rules see them: services as Compose starts them, and stages as the operator does, in one form."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from docker.types import HostConfig

from etl_contract import StageName
from etl_platform import Pipeline, read_pipeline
from etl_platform._once import ALONE
from etl_platform._settings import Settings
from etl_platform._stages import host_config, image
from tests.rules.rules import ROOT, Rule, compose

SETTINGS = Settings("etl", "local", "", "", Path())
# What make check and make pipeline-test start.
PROGRAM = "a program of make check"
PIPELINES = ROOT / "config" / "pipelines"


class Bind(NamedTuple):
    """A part of the host that a container sees."""

    source: str
    read_only: bool
    propagation: str


class Container(NamedTuple):
    """What a container is started with."""

    image: str
    built_here: bool
    user: str
    privileged: bool
    capabilities: tuple[tuple[str, ...], tuple[str, ...]]  # dropped, added
    security: tuple[str, ...]
    binds: tuple[Bind, ...]
    networks: tuple[str, ...]
    ports: tuple[dict[str, Any], ...]
    memory: int
    cpus: float
    processes: int
    read_only: bool
    restart: str
    namespaces: dict[str, str]
    devices: tuple[Any, ...]
    health: bool
    environment: dict[str, str]
    log: tuple[str, dict[str, str]]
    secrets_read_only: bool


def subjects() -> list[str]:
    """Name every service that Compose starts, every stage, and the program of an author's command."""
    services = compose()["services"]
    started = [name for name in services if services[name].get("scale") != 0]
    return [*started, *(stage.value for stage in StageName), PROGRAM]


@cache
def containers(who: str) -> tuple[Container, ...]:
    """Give the container of a service; of a stage, one for each pipeline that has it."""
    if who in {stage.value for stage in StageName}:
        return tuple(_of_stage(StageName(who), pipeline) for pipeline in _pipelines())
    if who == PROGRAM:
        return (_of_engine(image(StageName.transform, SETTINGS), ALONE),)
    return (_of_service(compose()["services"][who]),)


def breach_of(one: Rule, who: str) -> str | None:
    """Give what is wrong with the first container of a subject that breaches a rule."""
    found = containers(who)
    assert found
    return next((breach for container in found if (breach := one.breach(container)) is not None), None)


def _of_service(service: dict[str, Any]) -> Container:
    mode = service.get("network_mode")
    binds = [volume for volume in service.get("volumes", []) if volume["type"] == "bind"]
    secrets = [volume for volume in service.get("volumes", []) if volume.get("target") == "/run/secrets"]
    return Container(
        image=service["image"],
        built_here="build" in service or service["image"].startswith("etl-platform/"),
        user=service.get("user", ""),
        privileged=service.get("privileged", False),
        capabilities=(tuple(service.get("cap_drop", ())), tuple(service.get("cap_add", ()))),
        security=tuple(service.get("security_opt", ())),
        binds=tuple(
            Bind(bind["source"], bind.get("read_only", False), bind.get("bind", {}).get("propagation", ""))
            for bind in binds
        ),
        networks=(mode,) if mode else tuple(service.get("networks", {"default": None})),
        ports=tuple(service.get("ports", ())),
        memory=int(service.get("mem_limit", 0)),
        cpus=float(service.get("cpus", 0)),
        processes=service.get("pids_limit", 0),
        read_only=service.get("read_only", False),
        restart=service.get("restart", "no"),
        namespaces={name: service[name] for name in ("pid", "ipc", "uts", "userns_mode") if name in service},
        devices=(*service.get("devices", ()), *service.get("device_cgroup_rules", ())),
        health="healthcheck" in service and not service["healthcheck"].get("disable"),
        environment={name: value or "" for name, value in service.get("environment", {}).items()},
        log=(service.get("logging", {}).get("driver", ""), service.get("logging", {}).get("options", {})),
        secrets_read_only=all(mount.get("read_only") for mount in secrets),
    )


def _of_stage(stage: StageName, pipeline: Pipeline) -> Container:
    guarded = yaml.safe_load((ROOT / "config" / "docker_guard.yaml").read_text())["images"]
    # An image that runs as another user is not started by the guard.
    user = guarded[f"etl-platform/{stage.value}:${{TAG}}"]["user"]
    return _of_engine(image(stage, SETTINGS), host_config(stage, pipeline, SETTINGS), user)


def _of_engine(name: str, arguments: Mapping[str, Any], user: str = "") -> Container:
    """Read what docker-py would send to the Engine."""
    host = HostConfig(version="1.45", **arguments)
    mounts = host.get("Mounts", [])
    binds = [mount for mount in mounts if mount["Type"] == "bind"]
    secrets = [mount for mount in mounts if mount["Target"].startswith("/run/secrets")]
    return Container(
        image=name,
        built_here=True,
        user=user,
        privileged=host.get("Privileged", False),
        capabilities=(tuple(host.get("CapDrop", ())), tuple(host.get("CapAdd", ()))),
        security=tuple(host.get("SecurityOpt", ())),
        binds=tuple(Bind(bind["Source"], bind["ReadOnly"], "") for bind in binds)
        + tuple(Bind(bind, False, "") for bind in host.get("Binds", ())),  # noqa: FBT003
        networks=(host.get("NetworkMode", ""),),
        ports=tuple(host.get("PortBindings", {}).values()),
        memory=host.get("Memory", 0),
        cpus=host.get("NanoCpus", 0) / 1e9,
        processes=host.get("PidsLimit", 0),
        read_only=host.get("ReadonlyRootfs", False),
        restart=host.get("RestartPolicy", {}).get("Name", "no"),
        namespaces={name: host[name] for name in ("PidMode", "IpcMode", "UTSMode", "UsernsMode") if host.get(name)},
        devices=tuple(host.get("Devices", ())),
        health=False,
        environment={},
        log=(host["LogConfig"]["Type"], host["LogConfig"]["Config"]),
        secrets_read_only=all(mount["ReadOnly"] for mount in secrets),
    )


def _pipelines() -> Iterator[Pipeline]:
    for file in sorted(PIPELINES.glob("*.yaml")):
        if isinstance(pipeline := read_pipeline(file), Pipeline):
            yield pipeline
