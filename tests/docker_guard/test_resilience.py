"""Tests the guard's own image, limited as it ships, in bad company: it answers on, and stays within its memory."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import docker
import pytest

from tests._stack import until
from tests.docker_guard.attacks import HOST, Target, request
from tests.docker_guard.real_engine import SOCKET, installation
from tests.docker_guard.shipped import GUARD, PORT, ShippedGuard, shipped_guard

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOCKET.exists(), reason=f"needs a Docker Engine at {SOCKET}"),
]

MIB = 2**20
MANY = 100
OLD = 135  # seconds: longer than the guard waits for anybody
ESTABLISHED = "01"  # in /proc/net/tcp
FOLLOW = """
import socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.sendall(sys.argv[3].encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    print(*connection.getsockname(), flush=True)
    time.sleep(3600)
"""
BABBLE = "import time\nwhile True: print('x' * 200); time.sleep(0.002)"


@pytest.fixture(scope="module")
def target(engine: docker.APIClient) -> Iterator[Target]:
    """Run a stage that talks much and has the largest task that Linux takes, and one that is silent."""
    with installation(engine) as wishes:
        ids = []
        for program in (f"{BABBLE}  # {'🛩' * 32_000}", "import time; time.sleep(3600)"):
            arguments = wishes.arguments("transform", {})
            arguments["environment"]["ETL_TASK"] = json.dumps({"python": program}, ensure_ascii=False)
            ids.append(engine.create_container(name=wishes.name("transform"), **arguments)["Id"])
            engine.start(ids[-1])
        yield Target(wishes, *ids)


@pytest.fixture
def guard(engine: docker.APIClient, target: Target) -> Iterator[ShippedGuard]:
    """Start the guard's image."""
    with shipped_guard(engine, target.wishes) as running:
        yield running


def _calm(engine: docker.APIClient, guard: ShippedGuard) -> None:
    """Hold the guard to what it has to be after all that: the same process, within its memory, ready to answer."""
    assert guard.send(request("/v1.45/_ping", method="GET")).startswith(b"HTTP/1.1 200")
    inspected = engine.inspect_container(guard.container)
    assert (inspected["State"]["Running"], inspected["RestartCount"]) == (True, 0)
    memory = engine.stats(guard.container, stream=False)["memory_stats"]
    assert memory["limit"] == 64 * MIB
    assert memory.get("max_usage", memory["usage"]) <= 64 * MIB
    assert memory["usage"] - memory["stats"].get("total_inactive_file", 0) < 56 * MIB


def _connect(stack: ExitStack, guard: ShippedGuard, raw: bytes) -> socket.socket:
    connection = stack.enter_context(socket.create_connection((guard.host, PORT), timeout=30))
    with suppress(ConnectionError):  # hung up on
        connection.sendall(raw)
    return connection


def test_a_hundred_inspections_of_the_largest_task_fit_into_its_memory(
    engine: docker.APIClient, guard: ShippedGuard, target: Target
) -> None:
    """Each inspection reads the container's task, of which a hundred at once would be more than the guard has."""
    with ExitStack() as stack:
        asked = request(f"/v1.45/containers/{target.stage}/json", method="GET")
        connections = [_connect(stack, guard, asked) for _ in range(MANY)]
        answers = {connection.recv(12) for connection in connections}

    assert answers == {b"HTTP/1.1 200"}
    _calm(engine, guard)


def test_slow_heads_and_half_bodies_stop_nobody(engine: docker.APIClient, guard: ShippedGuard) -> None:
    """While a hundred clients never end their heads, and fifty their bodies, others are answered."""
    body = request("/containers/create?name=x", b"{" * 500_000)[:-1]
    with ExitStack() as stack:
        for _ in range(MANY):
            _connect(stack, guard, b"GET /_ping HTTP/1.1\r\n" + HOST + b"X-Slow: ")
        for _ in range(MANY // 2):
            _connect(stack, guard, body[:3000])

        _calm(engine, guard)


def test_huge_heads_stop_nobody(engine: docker.APIClient, guard: ShippedGuard) -> None:
    """A hundred heads of a megabyte are each given up at their first kilobytes."""
    with ExitStack() as stack:
        for number in range(MANY):
            _connect(stack, guard, b"GET /_ping HTTP/1.1\r\n" + HOST + b"X%d: " % number + b"a" * MIB)

        _calm(engine, guard)


def test_readers_that_stop_and_clients_that_vanish_stop_nobody(
    engine: docker.APIClient, guard: ShippedGuard, target: Target
) -> None:
    """Followers of a busy log: fifty read nothing, fifty say that they say no more, fifty are gone; it goes on."""
    follow = request(f"/v1.45/containers/{target.stage}/logs?follow=1&stdout=1", method="GET")
    with ExitStack() as stack:
        for _ in range(MANY // 2):
            _connect(stack, guard, follow)
        for _ in range(MANY // 2):
            _connect(stack, guard, follow).shutdown(socket.SHUT_WR)
        for _ in range(MANY // 2):
            with socket.create_connection((guard.host, PORT), timeout=30) as gone:
                gone.sendall(follow)
        time.sleep(5)

        _calm(engine, guard)


class Old(NamedTuple):
    """What has become of three followers of logs after two minutes."""

    silent: socket.socket
    stalled: str
    gone: str
    peers: set[str]
    said: list[dict[str, Any]]


@pytest.fixture(scope="module")
def old(engine: docker.APIClient, target: Target) -> Iterator[Old]:
    """Let one follow a silent log, one read nothing of a busy one, and one lose its network: it cannot say goodbye."""
    silence, babble = (
        request(f"/v1.45/containers/{stage}/logs?follow=1&stdout=1", method="GET")
        for stage in (target.other, target.stage)
    )
    with shipped_guard(engine, target.wishes) as guard, ExitStack() as stack:
        silent, stalled = (_connect(stack, guard, follow) for follow in (silence, babble))
        assert silent.recv(12) == b"HTTP/1.1 200"
        ours, idle = (_peer(*connection.getsockname()) for connection in (silent, stalled))
        gone = _vanished(engine, guard, silence, stack)
        assert {ours, idle, gone} <= _peers(engine, guard)
        time.sleep(OLD)
        with suppress(AssertionError):  # a busy machine needs longer; the tests below tell who is there for good
            until(lambda: not {idle, gone} & _peers(engine, guard), 120)
        said = [json.loads(line) for line in engine.logs(guard.container).splitlines()]
        yield Old(silent, idle, gone, _peers(engine, guard), said)
        _calm(engine, guard)


def _vanished(engine: docker.APIClient, guard: ShippedGuard, raw: bytes, stack: ExitStack) -> str:
    """Give the address and port of a client that had its answer, and then no network any more."""
    (name,) = engine.inspect_container(guard.container)["NetworkSettings"]["Networks"]
    follower = engine.create_container(
        GUARD,
        name=f"{name}-gone",
        entrypoint=["python", "-c", FOLLOW, guard.host, str(PORT), raw.decode()],
        host_config=engine.create_host_config(network_mode=name),
    )["Id"]
    stack.callback(engine.remove_container, follower, force=True, v=True)
    engine.start(follower)
    until(lambda: bool(engine.logs(follower)), 30)
    own = engine.logs(follower).decode().split()
    engine.disconnect_container_from_network(follower, name, force=True)
    return _peer(*own)


def _peer(host: str, port: object) -> str:
    return f"{host}:{port}"


def _peers(engine: docker.APIClient, guard: ShippedGuard) -> set[str]:
    """Give whom the guard's kernel holds for connected."""
    command = engine.exec_create(guard.container, ["cat", "/proc/net/tcp"])["Id"]
    lines = [line.split() for line in engine.exec_start(command).decode().splitlines()[1:]]
    remote = [line[2].split(":") for line in lines if line[3] == ESTABLISHED]
    return {_peer(".".join(str(part) for part in bytes.fromhex(host)[::-1]), int(port, 16)) for host, port in remote}


def test_a_log_is_followed_past_every_clock_of_the_guard(old: Old) -> None:
    """The log of a silent stage stays open for longer than the guard waits for anything."""
    heard = old.silent.recv(4096)  # the rest of the answer's head
    old.silent.settimeout(1)
    with suppress(TimeoutError):
        while more := old.silent.recv(4096):
            heard += more
        pytest.fail("the guard closed a log that goes on")

    assert b"\r\n0\r\n\r\n" not in heard


def test_a_reader_that_stops_for_good_is_given_up(old: Old) -> None:
    """Whoever reads nothing for two minutes is hung up on, and the log says so."""
    assert old.stalled not in old.peers
    reasons = [line["reason"] for line in old.said if line["event"] == "broken"]
    assert reasons == ["the client read nothing for 120 s"]


def test_a_client_that_vanished_without_a_word_is_let_go(old: Old) -> None:
    """Nobody waits for one whose machine lost power."""
    assert old.gone not in old.peers


def test_it_is_nobody_and_may_nothing(engine: docker.APIClient, guard: ShippedGuard) -> None:
    """It runs as 10002 without any capability on a root that it cannot write, and no program in it is setuid."""

    def run(*words: str) -> str:
        said: bytes = engine.exec_start(engine.exec_create(guard.container, words, user="0:0")["Id"])
        return said.decode()

    status = dict(line.split(":\t", 1) for line in run("cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == ["10002"] * 4
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {""}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert "Read-only file system" in run("touch", "/x")
    assert "\n/" not in "\n" + run("find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    inspected = engine.inspect_image(engine.inspect_container(guard.container)["Image"])["Config"]
    assert inspected["User"] == "10002:10002"
    assert [*inspected["ExposedPorts"]] == ["2375/tcp"]
