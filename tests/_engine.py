"""Reaches containers from wherever the tests run: on the Engine's own machine, or in a container beside the others.

On the Engine's machine a container's address on a bridge answers directly. In a container it answers only on a network
that both share, so the tests' container joins it; the host's loopback ports are out of reach there, and not needed.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

# Before the name of all that tests ask the Engine for, so that two runs on one machine are no trouble to each other.
OURS = os.environ.get("COMPOSE_PROJECT_NAME") or "etl-test"


def subnet(third_octet: int) -> str:
    """Give the first three octets of a network of our own, beside that of the stack under test."""
    first, second, _ = (os.environ.get("ETL_SUBNET") or "10.213.17").split(".")
    return f"{first}.{second}.{third_octet}"


def docker(*words: str, stdin: bytes | None = None, timeout: float = 120) -> str:
    """Run the Docker command line; give what it prints.

    Raises:
        RuntimeError: it failed; holds what it said.
    """
    done = subprocess.run(["docker", *words], input=stdin, capture_output=True, timeout=timeout, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {words[0]}: {(done.stderr + done.stdout).decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "replace").strip()


@cache
def own_container() -> str | None:
    """Give the id of the container in which the tests run, None where they run beside the Engine.

    The Engine is asked: /.dockerenv also stands on machines that were made from an image.
    """
    try:
        return docker("inspect", "--type", "container", "--format", "{{.Id}}", socket.gethostname())
    except RuntimeError:
        return None


@contextmanager
def network(name: str, *options: str) -> Iterator[str]:
    """Make a network that the tests reach, anew, and remove it with every container of its name."""
    remove_network(name)
    docker("network", "create", *options, name)
    try:
        if own := own_container():
            docker("network", "connect", name, own)
        yield name
    finally:
        remove_network(name)


def remove_network(name: str) -> None:
    """Remove a network, and the containers that bear its name; any other on it only leaves it."""
    if name not in docker("network", "ls", "--format", "{{.Name}}").split():
        return
    if own := own_container():
        with suppress(RuntimeError):  # it is not on it
            docker("network", "disconnect", "--force", name, own)
    for inside in docker("ps", "--all", "--format", "{{.Names}}", "--filter", f"network={name}").split():
        if inside.startswith(name):
            docker("rm", "--force", "--volumes", inside)
        else:  # another's, such as the container of tests that run at the same time
            docker("network", "disconnect", "--force", name, inside)
    docker("network", "rm", name)


def address(container: str, name: str) -> str:
    """Give a container's address on a network."""
    return docker("inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{name}").IPAddress}}}}', container)


def wait_for_port(host: str, port: int, seconds: float = 60) -> None:
    """Wait until somebody listens there."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def image(name: str) -> str:
    """Name one of our images, in the version under test."""
    return f"etl-platform/{name}:{os.environ.get('ETL_TAG', 'local')}"
