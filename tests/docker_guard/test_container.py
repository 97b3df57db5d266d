"""Tests which containers may be created."""

import copy
import json
from collections.abc import Callable
from typing import Any

import docker
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_contract import StageName
from etl_docker_guard._body import Container
from etl_docker_guard._errors import Refused
from etl_docker_guard._json import parse_object
from etl_docker_guard._judge import judge
from etl_docker_guard._policy import Policy
from etl_platform import Pipeline, read_pipeline
from etl_platform._container import container_name
from etl_platform._settings import Settings
from etl_platform._stages import host_config, image
from tests.docker_guard.running import POLICY
from tests.docker_guard.wishes import INSTALLATION, REACH, Recorder, Wishes

Body = dict[str, Any]
FLIGHTS = POLICY.parent / "pipelines" / "flights.yaml"
TMP = "/tmp"  # noqa: S108 - in the container


def admit(raw: bytes, name: str, policy: Policy) -> Body:
    """Do what the guard does with a body; give what it would send on."""
    container = Container.parse(parse_object(raw))
    judge(container, name, policy, project="etl", installation=INSTALLATION)
    sent: Body = json.loads(container.to_json())
    return sent


@pytest.mark.parametrize("stage", REACH)
def test_what_each_stage_asks_for_is_passed_on_whole(stage: str, wishes: Wishes, policy: Policy) -> None:
    """The policy that ships admits each stage's container as docker-py sends it, and loses nothing of it."""
    body = wishes.body(stage)

    assert admit(json.dumps(body).encode(), wishes.name(stage), policy) == body


@pytest.mark.parametrize("stage", StageName)
def test_what_the_operator_asks_for_is_admitted(stage: StageName, policy: Policy) -> None:
    """For the flights pipeline, StageOperator's own image, name and host config are within the policy that ships."""
    pipeline = read_pipeline(FLIGHTS)
    assert isinstance(pipeline, Pipeline)
    operator = Settings(project="etl", tag="local", installation=INSTALLATION, engine_url="", pipelines=FLIGHTS.parent)
    name = container_name("etl", "flights", stage.value, "manual__2026-03-01")
    recorder = Recorder()
    with docker.APIClient("tcp://127.0.0.1:1", version="1.45") as client:
        client.mount("http://", recorder)
        arguments = Wishes().arguments(stage.value)
        arguments["host_config"] = client.create_host_config(**host_config(stage, pipeline, operator))
        client.create_container(name=name, **(arguments | {"image": image(stage, operator)}))
    body = recorder.sent[-1].body

    assert isinstance(body, str)
    assert admit(body.encode(), name, policy) == json.loads(body)


def _set(path: str, value: object) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        *parents, last = path.split(".")
        place: Any = body
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def _drop(path: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        *parents, last = path.split(".")
        place: Any = body
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        del place[last]

    return change


def _mount(**mount: object) -> Callable[[Body], None]:
    ordinary = {"Type": "volume", "Source": "etl_runs", "Target": "/runs", "ReadOnly": False}
    return _set("HostConfig.Mounts", [ordinary | mount])


REFUSED: dict[str, tuple[Callable[[Body], None], str]] = {
    # what would give away the host
    "privileged": (_set("HostConfig.Privileged", value=True), "HostConfig.Privileged: no stage needs it"),
    "not privileged": (
        _set("HostConfig.Privileged", value=False),
        "HostConfig.Privileged: no stage needs it",
    ),
    "in small letters": (
        _set("HostConfig.privileged", value=True),
        "HostConfig.privileged: no stage needs it",
    ),
    "host config in small letters": (_set("hostconfig", {"Privileged": True}), "hostconfig: no stage needs it"),
    "binds": (_set("HostConfig.Binds", ["/:/host"]), "HostConfig.Binds: no stage needs it"),
    "volumes of another": (_set("HostConfig.VolumesFrom", ["postgres"]), "HostConfig.VolumesFrom"),
    "a device": (_set("HostConfig.Devices", [{"PathOnHost": "/dev/sda"}]), "HostConfig.Devices"),
    "a capability": (_set("HostConfig.CapAdd", ["SYS_ADMIN"]), "HostConfig.CapAdd"),
    "the host's processes": (_set("HostConfig.PidMode", "host"), "HostConfig.PidMode"),
    "the host's users": (_set("HostConfig.UsernsMode", "host"), "HostConfig.UsernsMode"),
    "a cgroup": (_set("HostConfig.CgroupParent", "/"), "HostConfig.CgroupParent"),
    "another runtime": (_set("HostConfig.Runtime", "other"), "HostConfig.Runtime"),
    "unmasked /proc": (_set("HostConfig.MaskedPaths", []), "HostConfig.MaskedPaths"),
    "a sysctl": (_set("HostConfig.Sysctls", {"net.ipv4.ip_forward": "1"}), "HostConfig.Sysctls"),
    "a port": (_set("HostConfig.PortBindings", {"80/tcp": [{"HostPort": "80"}]}), "HostConfig.PortBindings"),
    "another network beside": (_set("NetworkingConfig", {"EndpointsConfig": {"bridge": {}}}), "NetworkingConfig"),
    # what would change the program
    "another program": (_set("Entrypoint", ["sh"]), "Entrypoint: no stage needs it"),
    "arguments": (_set("Cmd", ["-c", "id"]), "Cmd: no stage needs it"),
    "another user": (_set("User", "0"), "User: no stage needs it"),
    "a health check": (_set("Healthcheck", {"Test": ["CMD", "id"]}), "Healthcheck: no stage needs it"),
    "a terminal": (_set("Tty", value=True), "Tty: "),
    "an open input": (_set("OpenStdin", value=True), "OpenStdin: "),
    "null": (_set("Cmd", None), "Cmd: no stage needs it"),
    "a library before all others": (_set("Env", ['ETL_TASK={"a":1}', "LD_PRELOAD=/runs/x.so"]), "'LD_PRELOAD'"),
    "two tasks": (_set("Env", ["ETL_TASK={}", "ETL_TASK={}"]), "'ETL_TASK' is twice there"),
    "no task": (_set("Env", []), "ETL_TASK is not there"),
    "a task that is no JSON": (_set("Env", ["ETL_TASK=hello"]), "ETL_TASK is not a JSON object"),
    "a task too long for Linux": (_set("Env", ['ETL_TASK={"a": "%s"}' % ("x" * 131072)]), "Linux takes 131071 at most"),
    "a level of no log": (_set("Env", ["ETL_TASK={}", "LOG_LEVEL=$(id)"]), "'$(id)' is no value for LOG_LEVEL"),
    # images and names
    "another image": (_set("Image", "alpine:latest"), "'alpine:latest' is none of etl-platform/extract:local"),
    "another tag": (_set("Image", "etl-platform/extract:old"), "is none of"),
    "no tag": (_set("Image", "etl-platform/extract"), "is none of"),
    "another of our images": (_set("Image", "etl-platform/airflow:local"), "is none of"),
    # labels
    "another installation": (_set("Labels", {}), "must be there"),
    "a label of Compose": (_set("Labels.com", "x"), "Labels.com"),
    # hardening that is missing
    "all capabilities": (_drop("HostConfig.CapDrop"), "HostConfig.CapDrop: must be there"),
    "some capabilities": (_set("HostConfig.CapDrop", ["NET_RAW"]), "HostConfig.CapDrop.0: "),
    "new privileges": (_drop("HostConfig.SecurityOpt"), "HostConfig.SecurityOpt: must be there"),
    "no seccomp": (
        _set("HostConfig.SecurityOpt", ["no-new-privileges:true", "seccomp=unconfined"]),
        "HostConfig.SecurityOpt",
    ),
    "a root that can be written": (_set("HostConfig.ReadonlyRootfs", value=False), "HostConfig.ReadonlyRootfs"),
    "1 for true": (_set("HostConfig.ReadonlyRootfs", 1), "HostConfig.ReadonlyRootfs: 1 is neither true nor false"),
    "no init": (_drop("HostConfig.Init"), "HostConfig.Init: must be there"),
    "no log's end": (_drop("HostConfig.LogConfig"), "HostConfig.LogConfig: must be there"),
    "a log elsewhere": (_set("HostConfig.LogConfig.Type", "syslog"), "HostConfig.LogConfig.Type"),
    "a log to an address": (_set("HostConfig.LogConfig.Config.tag", "x"), "HostConfig.LogConfig.Config.tag"),
    "programs in /tmp": (_set("HostConfig.Tmpfs", {TMP: "rw,exec,nosuid,size=1m"}), "HostConfig.Tmpfs./tmp"),
    "another tmpfs": (_set("HostConfig.Tmpfs", {TMP: "rw,noexec,nosuid,size=1m", "/x": ""}), "HostConfig.Tmpfs./x"),
    # limits
    "no memory limit": (_drop("HostConfig.Memory"), "HostConfig.Memory: must be there"),
    "unlimited memory": (_set("HostConfig.Memory", 0), "HostConfig.Memory: "),
    "memory as a text": (_set("HostConfig.Memory", "134217728"), "HostConfig.Memory: "),
    "swap": (_set("HostConfig.MemorySwap", -1), "HostConfig.MemorySwap: must be the same as Memory"),
    "no processors' limit": (_drop("HostConfig.NanoCpus"), "HostConfig.NanoCpus: must be there"),
    "too many processors": (_set("HostConfig.NanoCpus", 64 * 10**9), "HostConfig.NanoCpus: 64000000000 is more than"),
    "too many processes": (_set("HostConfig.PidsLimit", 100000), "HostConfig.PidsLimit: 100000 is more than"),
    "unlimited processes": (_set("HostConfig.PidsLimit", -1), "HostConfig.PidsLimit: "),
    "too large a /tmp": (_set("HostConfig.Tmpfs", {TMP: "rw,noexec,nosuid,size=8g"}), "HostConfig.Tmpfs: "),
    "too large a log": (_set("HostConfig.LogConfig.Config.max-size", "9g"), "HostConfig.LogConfig.max-size: "),
    "a long farewell": (_set("StopTimeout", 3600), "StopTimeout: "),
    # networks
    "the host's network": (_set("HostConfig.NetworkMode", "host"), "'host' is none of etl_data"),
    "another's network": (_set("HostConfig.NetworkMode", "container:postgres"), "'container:postgres' is none of"),
    "Airflow's network": (_set("HostConfig.NetworkMode", "etl_control"), "'etl_control' is none of"),
    "the guard's network": (_set("HostConfig.NetworkMode", "etl_guard"), "'etl_guard' is none of"),
    "the default network": (_drop("HostConfig.NetworkMode"), "HostConfig.NetworkMode: must be there"),
    # mounts
    "a host's folder": (_mount(Type="bind", Source="/"), "HostConfig.Mounts.0.Type: "),
    "the Engine's socket": (_mount(Type="bind", Source="/var/run/docker.sock"), "HostConfig.Mounts.0.Type: "),
    "a volume with a driver": (
        _mount(VolumeOptions={"DriverConfig": {"Options": {"o": "bind", "device": "/"}}}),
        "HostConfig.Mounts.0.VolumeOptions.DriverConfig: no stage needs it",
    ),
    "propagation": (_mount(BindOptions={"Propagation": "rshared"}), "HostConfig.Mounts.0.BindOptions"),
    "another volume": (_mount(Source="etl_postgres_data"), "must be '' of etl_runs, not '' of 'etl_postgres_data'"),
    "all secrets": (
        _mount(Source="etl_secrets", Target="/run/secrets/connections/source", ReadOnly=True),
        "must be 'connections/source' of etl_secrets, not '' of 'etl_secrets'",
    ),
    "another's secret": (
        _mount(
            Source="etl_secrets",
            Target="/run/secrets/connections/source",
            ReadOnly=True,
            VolumeOptions={"Subpath": "airflow"},
        ),
        "must be 'connections/source' of etl_secrets, not 'airflow' of 'etl_secrets'",
    ),
    "a way out of a sub-path": (
        _mount(
            Source="etl_secrets",
            Target="/run/secrets/connections/source",
            ReadOnly=True,
            VolumeOptions={"Subpath": "connections/../airflow"},
        ),
        "HostConfig.Mounts.0.VolumeOptions.Subpath: ",
    ),
    "a secret to write": (
        _mount(
            Source="etl_secrets",
            Target="/run/secrets/connections/source",
            VolumeOptions={"Subpath": "connections/source"},
        ),
        "/run/secrets/connections/source: must be read-only",
    ),
    "a place over the program": (_mount(Target="/opt/venv"), "/opt/venv: nothing may be mounted there"),
    "one place twice": (
        lambda body: body["HostConfig"]["Mounts"].append(body["HostConfig"]["Mounts"][0]),
        "/runs: is there twice",
    ),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_container_that_asks_for_more_is_refused(
    change: Callable[[Body], None], reason: str, wishes: Wishes, policy: Policy
) -> None:
    """One thing more than extract may have, or one protection less, refuses the container and says which."""
    body = wishes.body("extract")
    change(body)

    with pytest.raises(Refused) as refusal:
        admit(json.dumps(body).encode(), wishes.name("extract"), policy)

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    "name",
    [
        "etl-flights-extract-1",
        "etl-flights-load-0123456789abcdef",
        "etl-orders-extract-0123456789abcdef",
        "other-flights-extract-0123456789abcdef",
        "etl-flights-extract-0123456789abcdef-1",
        "postgres",
    ],
)
def test_a_container_is_called_after_its_labels(name: str, wishes: Wishes, policy: Policy) -> None:
    """A name that is not of the project, the pipeline and the stage of the labels is refused."""
    with pytest.raises(Refused, match="name: must be 'etl-flights-extract-' and 16 hex digits"):
        admit(json.dumps(wishes.body()).encode(), name, policy)


def test_a_container_bears_this_installations_id(wishes: Wishes, policy: Policy) -> None:
    """A container of another installation on the same Engine is refused."""
    body = wishes.body()
    body["Labels"]["etl.installation"] = "someone-else"

    with pytest.raises(Refused, match=r"Labels.etl.installation: this is the id of another installation"):
        admit(json.dumps(body).encode(), wishes.name(), policy)


def test_everything_wrong_is_told_at_once(wishes: Wishes, policy: Policy) -> None:
    """A container with three faults is refused with all three."""
    body = wishes.body()
    body["HostConfig"] |= {"NetworkMode": "host", "PidsLimit": 9999, "MemorySwap": -1}

    with pytest.raises(Refused, match=r"NetworkMode.*MemorySwap.*PidsLimit"):
        admit(json.dumps(body).encode(), wishes.name(), policy)


# What an attacker would write, beside what a random machine does.
VALUES = st.text() | st.sampled_from(
    [True, False, None, 0, -1, 1, 2**63, "", "host", "0", "/", "..", [], {}, ["ALL"], [{}]],
)
KEYS = st.text() | st.sampled_from(
    [
        "Privileged",
        "privileged",
        "Binds",
        "VolumesFrom",
        "Devices",
        "CapAdd",
        "PidMode",
        "IpcMode",
        "Runtime",
        "Entrypoint",
        "User",
        "Cmd",
        "DriverConfig",
        "BindOptions",
        "HostConfig",
        "hostConfig",
        "MaskedPaths",
        "NetworkingConfig",
        "Mounts",
        "Tmpfs",
        "Init",
        "etl.stage",
    ],
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    if isinstance(value, dict):
        return [path, *(place for key in value for place in _places(value[key], (*path, key)))]
    if isinstance(value, list):
        return [path, *(place for index, one in enumerate(value) for place in _places(one, (*path, index)))]
    return [path]


@st.composite
def _mutations(draw: st.DrawFn, stages: tuple[str, ...] = tuple(REACH)) -> tuple[str, Body, bytes]:
    """Draw a valid body, and change it in one to four places: another value, another key, one less."""
    stage = draw(st.sampled_from(stages))
    original = BODIES[stage]
    body = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(_places(body)))
        parent: Any = body
        for key in place[:-1]:
            parent = parent[key]
        here = parent[place[-1]] if place else body
        match draw(st.sampled_from(["value", "key", "drop", "case"])):
            case "key" if isinstance(here, dict):
                here[draw(KEYS)] = copy.deepcopy(draw(VALUES))
            case "drop" if place:
                del parent[place[-1]]
            case "case" if place and isinstance(place[-1], str):
                parent[place[-1].swapcase()] = parent.pop(place[-1])
            case _ if place:
                parent[place[-1]] = copy.deepcopy(draw(VALUES))
    return stage, original, json.dumps(body).encode()


BODIES = {stage: Wishes().body(stage) for stage in REACH}
KNOWN_KEYS = {key for body in BODIES.values() for place in _places(body) for key in place if isinstance(key, str)}


@settings(max_examples=600, deadline=None)
@given(_mutations())
def test_whatever_gets_through_is_hardened(policy: Policy, mutation: tuple[str, Body, bytes]) -> None:
    """However a valid body is changed, it is refused, or what is sent on has every protection and nothing unknown."""
    stage, original, raw = mutation
    try:
        sent = admit(raw, f"etl-flights-{stage}-0123456789abcdef", policy)
    except Refused:
        return

    host = sent["HostConfig"]
    assert sent["Image"] in policy.images
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] is True
    assert host["Init"] is True
    assert 0 < host["Memory"] == host["MemorySwap"] <= policy.limits.memory
    assert 0 < host["NanoCpus"] <= policy.limits.cpus * 1e9
    assert 0 < host["PidsLimit"] <= policy.limits.processes
    assert host["NetworkMode"] in policy.images[sent["Image"]].networks
    assert all(mount in original["HostConfig"]["Mounts"] or mount["ReadOnly"] for mount in host.get("Mounts", []))
    assert {mount["Type"] for mount in host.get("Mounts", [])} <= {"volume"}
    keys = {key for place in _places(sent) for key in place if isinstance(key, str)}
    assert {key for key in keys if not key.startswith("etl.")} <= KNOWN_KEYS | {"NoCopy", "VolumeOptions", "Subpath"}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_bytes_are_refused_or_harmless(policy: Policy, data: st.DataObject) -> None:
    """However bytes of a valid body are changed, the guard understands it or refuses it, and never fails."""
    raw = bytearray(json.dumps(BODIES["load"]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        sent = admit(bytes(raw), "etl-flights-load-0123456789abcdef", policy)
    except Refused:
        return

    assert admit(json.dumps(sent).encode(), "etl-flights-load-0123456789abcdef", policy) == sent
