"""The rules about running containers: CIS Docker 5, and OWASP's.

Services as Compose starts them, and stages as the operator does, are put into one form, so that a rule is said once.
"""

import re
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
from tests.rules.rules import ROOT, Rule, compose, rule, secret_in

RULES: list[Rule] = []
SETTINGS = Settings("etl", "local", "", "", Path())
# What make check and make pipeline-test start.
PROGRAM = "a program of make check"
PIPELINES = ROOT / "config" / "pipelines"
_SYSTEM = re.compile(r"^/(boot|dev|etc|lib|lib64|proc|root|run|sys|usr|var)?(/|$)")


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


@rule("CIS 4.1", "OWASP 2", title="it does not run as root", among=RULES)
def _user(it: Container) -> str | None:
    user = it.user.partition(":")[0]
    # Where Compose names no user, the image does: tests/rules/images.py
    return f"it runs as {it.user}" if user in {"0", "root"} or (not it.user and not it.built_here) else None


@rule("CIS 5.4", "OWASP 3", title="it has no capabilities", among=RULES)
def _capabilities(it: Container) -> str | None:
    dropped, added = it.capabilities
    if dropped != ("ALL",):
        return f"it drops {dropped} only"
    return f"it adds {', '.join(added)}" if added else None


@rule("CIS 5.5", title="it is not privileged", among=RULES)
def _privileged(it: Container) -> str | None:
    return "it is privileged" if it.privileged else None


@rule("CIS 5.6", title="of the host it sees the project's own files, and changes none", among=RULES)
def _directories(it: Container) -> str | None:
    for bind in it.binds:
        if bind.source.endswith(".sock"):
            continue  # CIS 5.32
        if _SYSTEM.match(bind.source) or bind.source.startswith("..") or not bind.read_only:
            return f"it mounts {bind.source} {'to read' if bind.read_only else 'to write'}"
    return None


@rule("CIS 5.8", title="it takes no privileged port of the host", among=RULES)
def _privileged_ports(it: Container) -> str | None:
    return next((f"it publishes {port['published']}" for port in it.ports if int(port["published"]) < 1024), None)


@rule("CIS 5.9", title="it opens no port but those of .env.example", among=RULES)
def _needed_ports(it: Container) -> str | None:
    needed = set(re.findall(r"^[A-Z_]+_PORT=(\d+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    return next(
        (f"it publishes {port['published']}" for port in it.ports if str(port["published"]) not in needed), None
    )


@rule("CIS 5.10", title="it has a network stack of its own", among=RULES)
def _host_network(it: Container) -> str | None:
    shared = [name for name in it.networks if name == "host" or name.startswith(("container:", "service:"))]
    return f"it shares {shared[0]}" if shared else None


@rule("CIS 5.11", "OWASP 7", title="its memory is limited", among=RULES)
def _memory(it: Container) -> str | None:
    return None if it.memory > 0 else "it may take all memory"


@rule("CIS 5.12", "OWASP 7", title="its processor time is limited", among=RULES)
def _processors(it: Container) -> str | None:
    return None if it.cpus > 0 else "it may take all cores"


@rule("CIS 5.13", "OWASP 8", title="its root file system is read-only", among=RULES)
def _root(it: Container) -> str | None:
    return None if it.read_only else "it may write everywhere"


@rule("CIS 5.14", title="its ports are bound to one interface of the host", among=RULES)
def _interface(it: Container) -> str | None:
    return next(
        (f"{port['published']} listens everywhere" for port in it.ports if port.get("host_ip") != "127.0.0.1"), None
    )


@rule("CIS 5.15", title="it is restarted five times at most", among=RULES)
def _restart(it: Container) -> str | None:
    policy, _, times = it.restart.partition(":")
    if policy in {"", "no"} or (policy == "on-failure" and 0 < int(times or 99) <= 5):
        return None
    return f"restart: {it.restart}"


def _namespace(number: str, title: str, *names: str) -> None:
    @rule(number, title=title, among=RULES)
    def _(it: Container) -> str | None:
        return next((f"{name}: {it.namespaces[name]}" for name in names if name in it.namespaces), None)


_namespace("CIS 5.16", "it has processes of its own", "pid", "PidMode")
_namespace("CIS 5.17", "it has shared memory of its own", "ipc", "IpcMode")
_namespace("CIS 5.21", "it has a host name of its own", "uts", "UTSMode")
_namespace("CIS 5.31", "it is not taken out of user namespaces", "userns_mode", "UsernsMode")


@rule("CIS 5.18", title="it sees no device of the host", among=RULES)
def _devices(it: Container) -> str | None:
    return f"it sees {it.devices}" if it.devices else None


@rule("CIS 5.20", title="its mounts do not spread", among=RULES)
def _propagation(it: Container) -> str | None:
    spread = [bind for bind in it.binds if bind.propagation not in {"", "private", "rprivate"}]
    return f"{spread[0].source}: {spread[0].propagation}" if spread else None


@rule("CIS 5.22", title="system calls are filtered", among=RULES)
def _seccomp(it: Container) -> str | None:
    return next((word for word in it.security if re.match(r"seccomp[=:]unconfined", word)), None)


@rule("OWASP 6", title="the profile of the kernel's security module stays on", among=RULES)
def _security_module(it: Container) -> str | None:
    return next((word for word in it.security if re.match(r"(apparmor[=:]unconfined|label[=:]disable)", word)), None)


@rule("CIS 5.26", "OWASP 4", title="it gets no new privileges", among=RULES)
def _new_privileges(it: Container) -> str | None:
    granted = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
    return None if granted & set(it.security) else "a setuid program may raise it"


@rule("CIS 5.27", title="its health is asked while it runs", among=RULES)
def _health(it: Container) -> str | None:
    return None if it.health else "nobody asks"


@rule("CIS 5.29", "OWASP 7", title="its processes are limited", among=RULES)
def _processes(it: Container) -> str | None:
    return None if it.processes > 0 else "it may fork without end"


@rule("CIS 5.30", "OWASP 5", title="it meets others only in networks that are named for it", among=RULES)
def _bridge(it: Container) -> str | None:
    named = {f"{SETTINGS.project}_{name}" for name in compose()["networks"]} | set(compose()["networks"]) | {"none"}
    strange = [name for name in it.networks if name not in named or name == "default"]
    return f"it is in {strange[0] or 'the default bridge'}" if strange else None


@rule("CIS 5.32", "OWASP 1", title="it does not see Docker's socket", among=RULES)
def _socket(it: Container) -> str | None:
    return next((f"it mounts {bind.source}" for bind in it.binds if bind.source.endswith(".sock")), None)


@rule("OWASP 10", title="what it says is kept, within a limit", among=RULES)
def _log(it: Container) -> str | None:
    driver, options = it.log
    if driver in {"", "none"}:
        return "its log is not kept"
    return None if {"max-size", "max-file"} <= set(options) else "its log may fill the disk"


@rule("OWASP 12", title="its secrets are files to read, and no variables", among=RULES)
def _secrets(it: Container) -> str | None:
    if not it.secrets_read_only:
        return "it may write its secrets"
    return next((name for name, value in it.environment.items() if secret_in(name, value)), None)


@rule("OWASP 13", title="its image is built here, or named by its digest", among=RULES)
def _image(it: Container) -> str | None:
    return None if it.built_here or re.search(r"@sha256:[0-9a-f]{64}$", it.image) else f"{it.image} may change"
