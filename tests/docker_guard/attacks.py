"""Lists what somebody would send to the guard who wants more of the Docker Engine than a stage.

Every attack is the bytes of one connection, written out of a request that the guard would let through.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.docker_guard.wishes import Wishes

Body = dict[str, Any]
Change = Callable[[Body], object]
HOST = b"Host: docker-guard\r\n"
JSON = b"Content-Type: application/json\r\n"
SOCKET = "/var/run/docker.sock"
TMP = "/tmp"  # noqa: S108 - in the container


@dataclass(frozen=True)
class Target:
    """What is there to be attacked: an installation, a stage of it that runs, and a container of somebody else."""

    wishes: Wishes
    stage: str
    other: str

    def fill(self, text: str) -> str:
        """Put the names of this installation in the place of STAGE, OTHER, PROJECT, IMAGE and TAG."""
        image = f"{self.wishes.images}extract"
        names = {"STAGE": self.stage, "OTHER": self.other, "PROJECT": self.wishes.project}
        for word, name in (names | {"IMAGE": image, "TAG": self.wishes.tag}).items():
            text = text.replace(word, name)
        return text

    def filled(self, value: Any) -> Any:  # noqa: ANN401 - a part of a body
        """Do the same in a part of a body."""
        return json.loads(self.fill(json.dumps(value)))


class Attack(NamedTuple):
    """What is sent, and what the guard's log has to say about it."""

    send: Callable[[Target], bytes]
    reason: str
    status: int = 403


def request(target: str, body: bytes = b"", method: str = "POST", head: bytes = HOST + JSON) -> bytes:
    """Write a request as docker-py does."""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return f"{method} {target} HTTP/1.1\r\n".encode() + head + length + b"\r\n" + body


def create(target: Target, body: bytes, head: bytes = HOST + JSON, query: str = "") -> bytes:
    """Write a request that creates a container."""
    return request(f"/v1.45/containers/create?name={target.wishes.name()}{query}", body, head=head)


def text(target: Target) -> str:
    """Write the body of a container of extract that the guard lets through."""
    return json.dumps(target.wishes.body())


# -- the ways in which one thing of a valid request is changed


def body(change: Change, reason: str) -> Attack:
    """Change the body as an object."""

    def send(target: Target) -> bytes:
        changed = target.wishes.body()
        change(changed)
        return create(target, json.dumps(target.filled(changed)).encode())

    return Attack(send, reason)


def top(key: str, value: object, reason: str = "") -> Attack:
    """Set one key of the body."""
    return body(lambda body: body.update({key: value}), reason or f"{key}: no stage needs it")


def host(key: str, value: object, reason: str = "") -> Attack:
    """Set one key of HostConfig."""
    return body(lambda body: body["HostConfig"].update({key: value}), reason or f"HostConfig.{key}: no stage needs it")


def without(key: str) -> Attack:
    """Leave one key of HostConfig out."""
    return body(lambda body: body["HostConfig"].pop(key), f"HostConfig.{key}: must be there")


def mount(reason: str, **changes: object) -> Attack:
    """Ask for one mount, that of /runs with something changed."""
    ordinary = {"Type": "volume", "Source": "PROJECT_runs", "Target": "/runs", "ReadOnly": False}
    return body(lambda body: body["HostConfig"].update(Mounts=[ordinary | changes]), reason)


def transform(reason: str, **changes: object) -> Attack:
    """Ask for the files of a transform's pipeline, with something changed."""

    def send(target: Target) -> bytes:
        body = target.wishes.body("transform")
        body["HostConfig"]["Mounts"][0].update(changes)
        return request(
            f"/v1.45/containers/create?name={target.wishes.name('transform')}",
            json.dumps(target.filled(body)).encode(),
        )

    return Attack(send, reason)


def secret(reason: str, **changes: object) -> Attack:
    """Ask for the secret of a connection, with something changed."""
    ordinary: Body = {"Source": "PROJECT_secrets", "Target": "/run/secrets/connections/source", "ReadOnly": True}
    return mount(reason, **(ordinary | {"VolumeOptions": {"Subpath": "connections/source"}} | changes))


def env(*variables: str, reason: str) -> Attack:
    """Set variables beside the task."""
    return body(lambda body: body["Env"].extend(variables), reason)


def written(edit: Callable[[str], str | bytes], reason: str) -> Attack:
    """Change the body as it is written."""

    def send(target: Target) -> bytes:
        edited = edit(text(target))
        return create(target, edited.encode() if isinstance(edited, str) else edited)

    return Attack(send, reason)


def before(key: str, more: str, reason: str) -> Attack:
    """Write something before a key of the body."""
    return written(lambda text: text.replace(f'"{key}": ', f'{more}, "{key}": ', 1), reason)


def number(key: str, value: str, reason: str) -> Attack:
    """Write a number of HostConfig in another way."""

    def edit(text: str) -> str:
        head, _, tail = text.partition(f'"{key}": ')
        return f'{head}"{key}": {value}{tail[len(tail) - len(tail.lstrip("0123456789")) :]}'

    return written(edit, reason)


def call(line: str, reason: str = "no stage needs this call", body: bytes = b"", status: int = 403) -> Attack:
    """Send another call: METHOD and target."""
    method, _, target = line.partition(" ")
    return Attack(
        lambda victim: request(victim.fill(target), victim.fill(body.decode()).encode(), method), reason, status
    )


def head(lines: bytes, reason: str, status: int = 403, start: bytes = b"GET /_ping HTTP/1.1") -> Attack:
    """Send a request without a body, with other lines in its head."""
    return Attack(lambda _: start + b"\r\n" + lines + b"\r\n", reason, status)


def creating(lines: bytes, reason: str, status: int = 403, tail: bytes = b"") -> Attack:
    """Send a valid body with other lines in the head, and something after it."""

    def send(target: Target) -> bytes:
        raw = text(target).encode()
        start = f"POST /v1.45/containers/create?name={target.wishes.name()} HTTP/1.1\r\n".encode()
        return start + HOST + lines.replace(b"LENGTH", b"%d" % len(raw)) + b"\r\n" + raw + tail

    return Attack(send, reason, status)
