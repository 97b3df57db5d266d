"""Runs the guard in a thread of the tests, in front of the real Engine or of a fake one."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import docker

from etl_docker_guard._server import serve
from etl_docker_guard._settings import Settings
from tests.docker_guard.wishes import INSTALLATION, Wishes

POLICY = Path(__file__).parents[2] / "config" / "docker_guard.yaml"


def settings(folder: Path, engine_socket: Path, wishes: Wishes) -> Settings:
    """Write what a guard reads, with the shipped policy for the images of these wishes."""
    policy, installation = folder / "docker_guard.yaml", folder / "id"
    policy.write_text(POLICY.read_text().replace("etl-platform/", wishes.images))
    installation.write_text(INSTALLATION)
    return Settings(
        host="127.0.0.1",
        port=0,
        socket=engine_socket,
        policy=policy,
        installation_id=installation,
        project=wishes.project,
        tag=wishes.tag,
    )


class RunningGuard:
    """A guard that serves on a free port of this machine, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.port = 0

    def __enter__(self) -> Self:
        """Serve, and give itself as soon as the port is open."""
        self._thread.start()
        assert self._ready.wait(10), "the guard did not start; see the thread's traceback"
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop as SIGTERM does."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        port = self._loop.create_future()
        port.add_done_callback(self._opened)
        self._task = asyncio.create_task(serve(self._settings, ready=port))
        await asyncio.wait([self._task])

    def _opened(self, port: asyncio.Future[int]) -> None:
        self.port = port.result()
        self._ready.set()

    def platform_starts(self) -> None:
        """Do what the service `secrets` does at each start of the platform."""
        os.utime(self._settings.installation_id)

    @contextmanager
    def client(self) -> Iterator[docker.APIClient]:
        """Give docker-py's client, as Airflow has it."""
        with docker.APIClient(f"tcp://127.0.0.1:{self.port}", version="1.45", timeout=30) as client:
            yield client

    def raw(self, request: bytes, timeout: float = 5) -> bytes:
        """Send bytes, and give all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer
