"""Runs the guard's own image as docker-compose.yml does, on a network that the tests reach."""

import json
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import ImageNotFound

from tests._engine import OURS, address, image, network, wait_for_port
from tests.docker_guard.attacks import HOST
from tests.docker_guard.real_engine import SOCKET
from tests.docker_guard.running import POLICY
from tests.docker_guard.wishes import INSTALLATION, Wishes

GUARD = image("docker-guard")
PORT = 2375
# As which docker-compose.yml starts it where nothing is recorded about the machine, and what it is told.
USER = "0:0"
ENVIRONMENT = ("COMPOSE_PROJECT_NAME", "ETL_TAG")
SENTINEL = "/the-end-of-attack-"


def hardened(engine: docker.APIClient, folder: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Give what the container of the guard may have, the same as the service of docker-compose.yml."""
    return engine.create_host_config(
        **(
            {
                "binds": [
                    f"{SOCKET}:{SOCKET}",
                    f"{folder}/docker_guard.yaml:/etc/docker_guard.yaml:ro",
                    f"{folder}/secrets:/run/secrets:ro",
                ],
                "cap_add": ["SETUID", "SETGID"],
                "cap_drop": ["ALL"],
                "cpu_quota": 50_000,
                "mem_limit": "64m",
                "memswap_limit": "64m",
                "network_mode": "none",
                "pids_limit": 256,
                "read_only": True,
                "security_opt": ["no-new-privileges:true"],
                "tmpfs": {"/tmp": "rw,noexec,nosuid,size=256m"},  # noqa: S108 - in the container
            }
            | more
        )
    )


def written_for(wishes: Wishes, folder: Path) -> Path:
    """Write what the guard reads: the policy that ships, for the images of these wishes, and the installation's id."""
    (folder / "secrets").mkdir()
    for file, words in (
        ("docker_guard.yaml", POLICY.read_text().replace("etl-platform/", wishes.images)),
        ("secrets/id", INSTALLATION),
    ):
        (folder / file).write_text(words)
        (folder / file).chmod(0o444)
    folder.chmod(0o755)
    return folder


class ShippedGuard:
    """A guard in its container; hears what it says."""

    def __init__(self, container: str, host: str) -> None:
        self.container = container
        self.host = host
        self._log = subprocess.Popen(["docker", "logs", "--follow", container], stdout=subprocess.PIPE)
        self._attacks = 0

    def close(self) -> None:
        """Hear no more."""
        with self._log:
            self._log.kill()

    def lines(self) -> Iterator[dict[str, Any]]:
        """Give each line of its log from where it was left."""
        assert self._log.stdout is not None
        yield from map(json.loads, iter(self._log.stdout.readline, b""))

    def send(self, raw: bytes, timeout: float = 20) -> bytes:
        """Send bytes; give all that comes back."""
        answer = b""
        with socket.create_connection((self.host, PORT), timeout=timeout) as connection:
            with suppress(ConnectionError):  # refused before it was all there
                connection.sendall(raw)
            with suppress(ConnectionError):
                while part := connection.recv(65536):
                    answer += part
        return answer

    def attack(self, raw: bytes) -> tuple[bytes, list[dict[str, Any]]]:
        """Send bytes; give what comes back and what the log says of it."""
        answer = self.send(raw)
        self._attacks += 1
        sentinel = f"{SENTINEL}{self._attacks}"
        self.send(f"GET {sentinel} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
        return answer, [*takewhile(lambda line: line.get("path") != sentinel, self.lines())]


@contextmanager
def shipped_guard(engine: docker.APIClient, wishes: Wishes) -> Iterator[ShippedGuard]:
    """Run the guard's image before an installation."""
    try:
        engine.inspect_image(GUARD)
    except ImageNotFound:
        pytest.skip(f"needs the image {GUARD}; `make test` builds it")
    name = f"{OURS}-guard-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory() as folder, network(name, "--internal"):
        container = engine.create_container(
            GUARD,
            name=name,
            user=USER,
            environment=dict(zip(ENVIRONMENT, (wishes.project, wishes.tag), strict=True)),
            host_config=hardened(engine, written_for(wishes, Path(folder)), network_mode=name),
        )["Id"]
        try:
            engine.start(container)
            host = address(container, name)
            wait_for_port(host, PORT)
            with closing(ShippedGuard(container, host)) as guard:
                next(line for line in guard.lines() if line["event"] == "listening")
                yield guard
        finally:
            engine.remove_container(container, force=True, v=True)
