"""Measures what the guard adds when a container is created: a hundred of them by the Engine itself, and through it."""

import time
from dataclasses import dataclass

import docker

from tests.bench.arena import Arena, Measured
from tests.bench.race import LIMIT, OURS, Goal, Race
from tests.docker_guard.real_engine import SOCKET, installation
from tests.docker_guard.shipped import PORT, shipped_guard
from tests.docker_guard.wishes import Wishes

CONTAINERS = 100


def guard(arena: Arena) -> Race:
    """Create what the operator would."""
    engine = arena.job.enter_context(_client(f"unix://{SOCKET}"))
    wishes = arena.job.enter_context(installation(engine))
    shipped = arena.job.enter_context(shipped_guard(engine, wishes))
    guarded = arena.job.enter_context(_client(f"tcp://{shipped.host}:{PORT}"))
    return Race(
        f"create {CONTAINERS} containers through the guard",
        Goal(over=0.005 * CONTAINERS),
        (Creating(engine, engine, wishes, f"{LIMIT}the Engine itself"), Creating(guarded, engine, wishes, OURS)),
    )


@dataclass(frozen=True)
class Creating:
    """Creates containers; takes the time of the calls alone, and removes them behind the guard."""

    client: docker.APIClient
    engine: docker.APIClient
    wishes: Wishes
    name: str

    def run(self, place: Arena) -> Measured:
        """Create each when the one before is gone."""
        del place
        seconds = 0.0
        for _ in range(CONTAINERS):
            arguments = self.wishes.arguments()
            started = time.perf_counter()
            container = self.client.create_container(name=self.wishes.name(), **arguments)["Id"]
            seconds += time.perf_counter() - started
            self.engine.remove_container(container, v=True)
        return Measured(seconds)


def _client(address: str) -> docker.APIClient:
    return docker.APIClient(address, version="1.45", timeout=120)
