"""Measures what the guard adds to a create call: python -m tests.docker_guard.latency, with the guard's image built."""

import time
from statistics import median, quantiles

import docker

from tests.docker_guard.real_engine import SOCKET, installation
from tests.docker_guard.shipped import PORT, shipped_guard

ROUNDS = 200


def latency() -> None:
    """Create containers by turns past the guard and through it; print the medians and what lies between."""
    with (
        docker.APIClient(f"unix://{SOCKET}", version="1.45", timeout=120) as engine,
        installation(engine) as wishes,
        shipped_guard(engine, wishes) as guard,
        docker.APIClient(f"tcp://{guard.host}:{PORT}", version="1.45", timeout=120) as guarded,
    ):
        taken: dict[str, list[float]] = {"past the guard": [], "through the guard": []}
        for turn in range(ROUNDS + 5):
            for times, client in zip(taken.values(), (engine, guarded), strict=True):
                arguments = wishes.arguments()
                started = time.perf_counter()
                container = client.create_container(name=wishes.name(), **arguments)["Id"]
                if turn >= 5:
                    times.append((time.perf_counter() - started) * 1000)
                engine.remove_container(container, v=True)
        for way, times in taken.items():
            print(f"{way}: median {median(times):.1f} ms, 90 % within {quantiles(times, n=10)[-1]:.1f} ms")  # noqa: T201
        past, through = taken.values()
        added = [guarded - direct for direct, guarded in zip(past, through, strict=True)]
        print(f"added: median {median(added):.1f} ms")  # noqa: T201


if __name__ == "__main__":
    latency()
