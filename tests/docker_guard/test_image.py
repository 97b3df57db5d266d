"""Tests the guard's image: that it gives up root, stays within its memory, and ends when told to."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from docker.errors import ImageNotFound

from tests._engine import image
from tests.docker_guard.real_engine import PROGRAM, SOCKET, files
from tests.docker_guard.running import POLICY
from tests.docker_guard.wishes import INSTALLATION

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOCKET.exists(), reason=f"needs a Docker Engine at {SOCKET}"),
]

GUARD = image("docker-guard")
ENVIRONMENT = {"COMPOSE_PROJECT_NAME": "etl-guard-test", "ETL_TAG": "local"}
BABBLE = "import time\nwhile True: print('x' * 200); time.sleep(0.002)"
# As many connections as Airflow could ever have, each following one log as fast as it can for some seconds.
FOLLOW = """
import selectors, socket, sys, time
path, start = sys.argv[1], time.monotonic()
selector = selectors.DefaultSelector()
for _ in range(100):
    connection = socket.create_connection(("127.0.0.1", 2375))
    connection.sendall(f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
    selector.register(connection, selectors.EVENT_READ)
heard = dict.fromkeys(selector.get_map(), 0)
while time.monotonic() < start + 6 or (min(heard.values()) <= 10_000 and time.monotonic() < start + 60):
    for key, _ in selector.select(0.1):
        heard[key.fd] += len(key.fileobj.recv(65536))
print(min(heard.values()))
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    """Speak to the Engine."""
    with docker.APIClient(f"unix://{SOCKET}", version="1.45", timeout=120) as client:
        try:
            client.inspect_image(GUARD)
        except ImageNotFound:
            pytest.skip(f"needs the image {GUARD}; `make test` builds it")
        yield client


Start = Callable[..., str]


@pytest.fixture
def start(engine: docker.APIClient) -> Iterator[Start]:
    """Start containers as docker-compose.yml starts the guard; remove them after the test."""
    started: list[str] = []

    def run(user: str = "0:0", environment: dict[str, str] | None = None, **host: Any) -> str:  # noqa: ANN401
        hardened = {
            "binds": [f"{SOCKET}:{SOCKET}"],
            "cap_add": ["SETUID", "SETGID"],
            "cap_drop": ["ALL"],
            "cpu_quota": 50_000,
            "mem_limit": "64m",
            "memswap_limit": "64m",
            "network_mode": "none",
            "security_opt": ["no-new-privileges:true"],
        }
        container: str = engine.create_container(
            GUARD,
            name=f"etl-guard-test-{secrets.token_hex(4)}",
            user=user,
            environment=ENVIRONMENT if environment is None else environment,
            host_config=engine.create_host_config(**(hardened | host)),
        )["Id"]
        started.append(container)
        engine.put_archive(container, "/etc", files({"docker_guard.yaml": POLICY.read_text()}, owner=0, mode=0o444))
        engine.put_archive(container, "/run", files({"secrets/id": INSTALLATION}, owner=10002))
        engine.start(container)
        return container

    yield run
    for container in started:
        engine.remove_container(container, force=True, v=True)


def _healthy(engine: docker.APIClient, container: str) -> str:
    """Wait until the image's own health check succeeds."""
    until = time.monotonic() + 30
    while (state := engine.inspect_container(container)["State"])["Health"]["Status"] != "healthy":
        assert state["Running"], engine.logs(container).decode()
        assert time.monotonic() < until, state["Health"]["Log"]
        time.sleep(0.2)
    return container


def _exec(engine: docker.APIClient, container: str, *words: str) -> str:
    said: bytes = engine.exec_start(engine.exec_create(container, words)["Id"])
    return said.decode()


def test_it_gives_up_root_and_keeps_the_sockets_group(engine: docker.APIClient, start: Start) -> None:
    """Started as root, the guard serves as user 10002 with the socket's group and without any capability."""
    guard = _healthy(engine, start())
    status = dict(line.split(":\t", 1) for line in _exec(engine, guard, "cat", "/proc/1/status").splitlines())

    assert status["Uid"].split() == ["10002"] * 4
    assert status["Gid"].split() == ["10002"] * 4
    assert status["Groups"].split() == [str(_socket_group(engine, guard))]
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {""}
    assert status["NoNewPrivs"] == "1"


def _socket_group(engine: docker.APIClient, container: str) -> int:
    return int(_exec(engine, container, "stat", "-c", "%g", str(SOCKET)))


def test_it_needs_no_root_if_it_is_told_the_group(engine: docker.APIClient, start: Start) -> None:
    """Started as 10002 with the socket's group, it needs no capability at all."""
    group = _socket_group(engine, _healthy(engine, start()))
    guard = _healthy(engine, start(f"10002:{group}", cap_add=None, read_only=False))

    assert "Uid:\t10002\t10002" in _exec(engine, guard, "cat", "/proc/1/status")


def test_it_says_what_it_misses(engine: docker.APIClient, start: Start) -> None:
    """Without the capabilities to leave root, or without its settings, it ends at once and says what to do."""
    for arguments, words in (
        ({"cap_add": None}, "Add the capabilities SETUID and SETGID, or start the guard as 10002:"),
        ({"environment": {}}, "COMPOSE_PROJECT_NAME is ''; write the Compose project's name"),
        ({"binds": None}, f"{SOCKET}: No such file or directory. Mount the Docker Engine's socket there."),
    ):
        guard = start(**arguments)

        assert engine.wait(guard)["StatusCode"] == 1
        assert words in engine.logs(guard).decode()


def test_a_hundred_logs_fit_into_its_memory(engine: docker.APIClient, start: Start) -> None:
    """With half a processor and 64 MiB it serves 100 followers of a busy log, each of them, and stays alive."""
    guard = _healthy(engine, start())
    noisy = engine.create_container(
        GUARD,
        name=f"etl-guard-test-{secrets.token_hex(4)}",
        entrypoint=["python3", "-uc", PROGRAM],
        environment={
            "ETL_TASK": json.dumps({"python": "import time\nwhile True: print('x' * 200); time.sleep(0.002)"})
        },
        labels={"etl.installation": INSTALLATION, "etl.stage": "extract"},
        host_config=engine.create_host_config(network_mode="none"),
    )["Id"]
    clients = engine.create_container(
        GUARD,
        name=f"etl-guard-test-{secrets.token_hex(4)}",
        entrypoint=["python3", "-uc", FOLLOW, f"/containers/{noisy}/logs?follow=1&stdout=1"],
        host_config=engine.create_host_config(network_mode=f"container:{guard}"),
    )["Id"]
    try:
        engine.start(noisy)
        engine.start(clients)
        used = 0
        while engine.inspect_container(clients)["State"]["Running"]:
            used = max(used, engine.stats(guard, stream=False)["memory_stats"]["usage"])

        assert int(engine.logs(clients, stderr=False)) > 10_000, engine.logs(clients).decode()
        assert engine.inspect_container(guard)["State"]["Running"]
        assert used < 56 * 2**20
    finally:
        for container in (clients, noisy):
            engine.remove_container(container, force=True, v=True)


def test_it_ends_when_told_to(engine: docker.APIClient, start: Start) -> None:
    """SIGTERM ends it within 3 s, and well."""
    guard = _healthy(engine, start())
    started = time.monotonic()
    engine.kill(guard, "SIGTERM")

    assert engine.wait(guard)["StatusCode"] == 0
    assert time.monotonic() - started < 3
