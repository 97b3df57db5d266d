"""Who may speak to whom: from each container every other address and port is tried, and only these edges answer."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import product
from typing import Any, NamedTuple

import pytest

from tests._stack import Stack
from tests.e2e.held import held
from tests.e2e.needles import image

# Every edge that there is, each with what it is for. Whatever is not here must not answer. A stage is called after its
# image; extract is twice there, as it is when a source is elsewhere: in the network `egress` instead of `data`.
EDGES = {
    ("airflow-apiserver", "postgres", 5432): "its metadata",
    ("airflow-scheduler", "postgres", 5432): "its metadata",
    ("airflow-dag-processor", "postgres", 5432): "its metadata",
    ("airflow-scheduler", "airflow-apiserver", 8080): "a task's process tells of its state",
    ("airflow-apiserver", "airflow-scheduler", 8793): "the log of a task that runs; it asks for a signed token",
    ("airflow-scheduler", "docker-guard", 2375): "the only way to the Docker Engine",
    ("extract", "postgres", 5432): "reads the source",
    ("extract, egress", "postgres", 5432): "reads a source here, beside one that is elsewhere",
    ("load", "postgres", 5432): "writes the warehouse",
    ("visualize", "postgres", 5432): "reads the warehouse",
}
# Edges that nobody needs, and that a network of both cannot do without: what listens there asks for a login or a token.
NEIGHBOURS = {
    ("postgres", "airflow-apiserver", 8080): "both are in `control`",
    ("airflow-dag-processor", "airflow-apiserver", 8080): "both are in `control`",
    ("postgres", "airflow-scheduler", 8793): "both are in `control`",
    ("airflow-dag-processor", "airflow-scheduler", 8793): "both are in `control`",
    ("docker-guard", "airflow-scheduler", 8793): "both are in `guard`",
}
SERVICES = ("postgres", "airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "docker-guard", "notifier")
STAGES = ("extract", "transform", "load", "visualize", "extract, egress")
# Whose packets have a way out of the machine, and answers a way back: extract from elsewhere, and who tells people of
# troubles. Who publishes a port on 127.0.0.1 has a route, by whose network no answer comes.
WAY_OUT = {"extract, egress", "notifier"}
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
FARAWAY = """\
extract:
  rows: {http: "http://127.0.0.1:9/rows.csv", tries: 1}
load:
  rows: {table: mart.faraway, mode: replace}
retries: 0
"""
# Runs in the network of another container. A port that is closed says so; one that no packet reaches says nothing.
PROBE = """
import asyncio, json, socket, struct, sys

async def knock(host, port):
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True

async def every(targets):
    return await asyncio.gather(*(knock(host, port) for host, port in targets))

def table(name):
    try:
        return [line.split() for line in open(f"/proc/net/{name}").readlines()[1:]]
    except FileNotFoundError:
        return []

LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0B00007F")
sockets = [row[1].split(":") for row in table("tcp") + table("tcp6") if row[3] == "0A"]
targets = json.loads(sys.argv[1])
print(json.dumps({
    "open": [target for target, is_open in zip(targets, asyncio.run(every(targets))) if is_open],
    "listens": sorted({int(port, 16) for address, port in sockets if address not in LOOPBACK}),
    "routes": sorted({
        socket.inet_ntoa(struct.pack("<L", int(row[2], 16))) for row in table("route") if row[1] == "00000000"
    }),
    "interfaces": sorted({line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]}),
}))
"""
Edge = tuple[str, str, int]


class Seen(NamedTuple):
    """What was found from inside one container."""

    open: list[tuple[str, int]]
    listens: list[int]
    routes: list[str]
    interfaces: list[str]
    tried: int


class Map(NamedTuple):
    """What was found from inside each container, and whose addresses those are."""

    seen: dict[str, Seen]
    owners: dict[str, str]
    ways_out: set[str]

    def edges(self) -> set[Edge]:
        """Give who reached whom, on which port."""
        return {
            (source, self.owners[host], port)
            for source, seen in self.seen.items()
            for host, port in seen.open
            if self.owners[host] != source
        }


def _addresses(stack: Stack, container: str) -> list[str]:
    networks = json.loads(stack.docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container))
    return [network["IPAddress"] for network in networks.values() if network["IPAddress"]]


def _networks(stack: Stack) -> dict[str, dict[str, Any]]:
    """Give the stack's networks by the machine's own address in each."""
    names = stack.docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}")
    networks: list[dict[str, Any]] = json.loads(stack.docker("network", "inspect", *names.split()))
    return {str(ip_network(network["IPAM"]["Config"][0]["Subnet"])[1]): network for network in networks}


def _published(stack: Stack) -> list[int]:
    """Give the ports on this machine's loopback."""
    told = stack.compose("ps", "--format", "{{.Ports}}")
    return [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)->", told)]


def _look(stack: Stack, container: str, targets: list[tuple[str, int]]) -> Seen:
    """Try targets from inside a container's network."""
    place = ["--network", f"container:{container}", "--user", "65534:65534", "--cap-drop", "ALL", "--read-only"]
    program = ["--entrypoint", "python", image(stack, "secrets"), "-c", PROBE, json.dumps(targets)]
    found = json.loads(stack.docker("run", "--rm", *place, *program))
    return Seen(**found | {"open": [(host, port) for host, port in found["open"]], "tried": len(targets)})


def _stages(stack: Stack) -> Iterator[tuple[str, str]]:
    """Give each kind of stage's name and container, one after the other, while it is there."""
    stack.wait_for_dag("flights")
    for stage in held(stack, "flights"):
        yield stage.stage, stage.container
    with stack.pipeline("faraway", {"faraway.yaml": FARAWAY}):
        for stage in held(stack, "faraway", last="extract"):
            yield f"{stage.stage}, egress", stage.container
        stack.wait_for_run("faraway", stage.run_id)


@pytest.fixture(scope="module")
def found(stack: Stack) -> Map:
    """Try everything from everywhere."""
    services = {name: f"{stack.project}-{name}-1" for name in SERVICES}
    owners = {address: name for name, container in services.items() for address in _addresses(stack, container)}
    listens = {port for container in services.values() for port in _look(stack, container, []).listens}
    networks = _networks(stack)
    machine = dict.fromkeys(networks, "the machine")
    ways_out = {address for address, network in networks.items() if network["Options"].get(MASQUERADE) != "false"}
    everywhere = [*product(owners, sorted(listens)), *product(machine, _published(stack))]
    seen = {name: _look(stack, container, everywhere) for name, container in services.items()}
    for name, container in _stages(stack):
        seen[name] = _look(stack, container, everywhere)
        here = dict.fromkeys(_addresses(stack, container), name)
        for service, its_container in services.items() if here else ():
            also = _look(stack, its_container, [*product(here, sorted(listens))])
            seen[service] = seen[service]._replace(
                open=seen[service].open + also.open, tried=seen[service].tried + also.tried
            )
        owners |= here
    return Map(seen, owners | machine, ways_out)


def test_only_the_designed_edges_answer(found: Map) -> None:
    """Every edge of the table is there, and no other."""
    assert set(found.seen) == {*SERVICES, *STAGES}
    assert found.edges() == EDGES.keys() | NEIGHBOURS.keys()
    assert sum(seen.tried for seen in found.seen.values()) > 500


def test_transform_has_no_network(found: Map) -> None:
    """The author's own code meets nobody."""
    assert found.seen["transform"].interfaces == ["lo"]
    assert found.seen["transform"].open == []


def test_nobody_else_has_a_way_out_of_the_machine(found: Map) -> None:
    """Without a default route no packet leaves, whatever the address; and by one of these two no answer comes back."""
    assert {name for name, seen in found.seen.items() if found.ways_out & set(seen.routes)} == WAY_OUT
    assert {name for name, seen in found.seen.items() if seen.routes} == WAY_OUT | {"postgres", "airflow-apiserver"}


def test_stages_listen_to_nobody(found: Map) -> None:
    """A stage has no port to be spoken to."""
    assert [name for name in STAGES if found.seen[name].listens] == []


def test_what_neighbours_reach_asks_who_they_are(stack: Stack) -> None:
    """Without a token or a login, nothing but the health page answers what neighbours could ask."""
    program = """
import sys, urllib.error, urllib.request
for address in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(address, timeout=5).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    addresses = [
        "http://airflow-scheduler:8793/log/dag_id=flights/x.log",
        "http://airflow-apiserver:8080/api/v2/dags",
        "http://airflow-apiserver:8080/execution/variables/x",
    ]
    network = ["--network", f"container:{stack.project}-airflow-dag-processor-1"]
    words = ["--entrypoint", "python", image(stack, "secrets"), "-c", program, *addresses]

    answers = stack.docker("run", "--rm", *network, *words).split()

    assert [int(status) in {401, 403} for status in answers] == [True] * 3, answers
