"""Runs a container once for a person who waits: hears its lines, and removes it whatever happens."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import batched
from types import MappingProxyType
from typing import Any, NamedTuple

from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from etl_contract import Conversation, StageError, StageResult, Unavailable
from etl_platform._stages import HARDENED

# Each task may have 128 KiB, and all variables of a process together 2 MiB.
_AT_ONCE = 12

# For programs that need nothing but their image.
ALONE: Mapping[str, Any] = {
    **HARDENED,
    "network_mode": "none",
    "mem_limit": "1g",
    "memswap_limit": "1g",
    "nano_cpus": 2_000_000_000,
}


def engine() -> APIClient:
    """Connect to the Docker Engine of this machine.

    Raises:
        Unavailable: none answers.
    """
    try:
        return APIClient(base_url="unix:///var/run/docker.sock", version="auto", timeout=120)
    except DockerException as error:
        raise Unavailable(f"the Docker Engine does not answer: {error}", hint="Start it: make up") from None


class Program(NamedTuple):
    """What runs: an image with its variables; another program of it, or another user, where these are named."""

    image: str
    environment: Mapping[str, str] = MappingProxyType({})
    command: Sequence[str] = ()
    user: str | None = None


def answers(
    client: APIClient, program: Program, told: Mapping[str, Mapping[str, str]], host: Mapping[str, Any] = ALONE
) -> Iterator[tuple[str, StageResult]]:
    """Have a program answer many tasks, as many at once as go into its variables; give each answer as it comes.

    Args:
        client: the Engine.
        program: answers each in a marked line, with the nonce "$ETL_NONCE-0" and so on.
        told: by a name that is given back, the variables of each task: `ETL_TASK` is `ETL_TASK_0` for the first.
        host: the arguments of docker's `create_host_config`.

    Raises:
        StageError: one is not answered.
    """
    for some in batched(told.items(), _AT_ONCE, strict=False):
        nonce = secrets.token_hex(16)
        numbered = {f"{name}_{number}": each[name] for number, (_, each) in enumerate(some) for name in each}
        environment = {**program.environment, "ETL_NONCE": nonce, **numbered}
        names = [name for name, _ in some]
        said: list[str] = []
        with container(client, program._replace(environment=environment), host) as answering:
            for line in lines(client, answering):
                said.append(line)
                conversation = Conversation(f"{nonce}-{len(some) - len(names)}")
                conversation.hear(line)
                if conversation.result is not None:
                    yield names.pop(0), conversation.result
        if names:
            raise StageError(f"'{names[0]}' ended without an answer", hint="\n".join(said[-20:]))


@contextmanager
def container(client: APIClient, program: Program, host: Mapping[str, Any] = ALONE) -> Iterator[str]:
    """Start a container and give its id; remove it at the end.

    Args:
        client: the Engine.
        program: what runs in it.
        host: the arguments of docker's `create_host_config`.

    Raises:
        StageError: it cannot be started.
    """
    arguments: dict[str, Any] = {"entrypoint": list(program.command)} if program.command else {}
    try:
        created: str = client.create_container(
            image=program.image,
            environment=dict(program.environment),
            host_config=client.create_host_config(**host),
            user=program.user,
            **arguments,
        )["Id"]
    except ImageNotFound:
        raise Unavailable(f"there is no image {program.image}", hint="Build it: make up") from None
    except APIError as error:
        raise StageError(f"the Docker Engine starts no container: {error.explanation}") from None
    try:
        try:
            client.start(created)
        except APIError as error:
            raise StageError(f"the Docker Engine starts no container: {error.explanation}") from None
        yield created
    finally:
        with suppress(NotFound):
            client.remove_container(created, force=True, v=True)


def lines(client: APIClient, container_id: str, *, stderr: bool = True) -> Iterator[str]:
    """Give every line that it prints, also as errors where these are wanted, until it ends."""
    rest = b""
    for chunk in client.logs(container_id, stdout=True, stderr=stderr, stream=True, follow=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
    if rest:
        yield rest.decode("utf-8", "replace")
