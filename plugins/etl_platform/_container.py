"""Keeps one container for one stage of one run: finds it again or creates it, follows it to its end, removes it.

    find ──► same task: adopt it, and hear it from its beginning
      │
      └─ none, or another task's ──► create (its name is the lock) ──► start ──► follow ──► State

The Engine is the only memory: a scheduler that died leaves a container with labels, and whoever comes next finds it.
Nothing here knows Airflow.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from docker import APIClient
from docker.errors import APIError, NotFound
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

STOP_SECONDS = 3  # Airflow kills a task's process 5 s after it asked it to end
PATIENCE_SECONDS = 120  # how long the Engine may not answer while a container runs
KILLED = {137, 143}


class State(NamedTuple):
    """How a container ended, and when it ran."""

    exit_code: int
    out_of_memory: bool
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def killed(self) -> bool:
        """Whether somebody ended it, and not its own memory's limit."""
        return self.exit_code in KILLED and not self.out_of_memory


class Found(NamedTuple):
    """A container, and the nonce that it was told."""

    id: str
    nonce: str
    adopted: bool


class StageContainer:
    """The one container of a stage of a run.

    Args:
        client: the Engine.
        name: the container's name, one for each stage of each run.
        labels: what the container is found by.
        digest: what it was told, so that a container with an older task is not taken for this one.
    """

    def __init__(self, client: APIClient, name: str, labels: Mapping[str, str], digest: str) -> None:
        self._client = client
        self._name = name
        self._labels = dict(labels)
        self._digest = digest
        self._given_up = False
        self.id: str | None = None

    def ensure(self, create: Callable[[str], dict[str, Any]]) -> Found:
        """Adopt the container that an earlier try started, or start a new one.

        Args:
            create: gives the arguments of `create_container` for a nonce.
        """
        for container in self._existing():
            if self._worth_adopting(container):
                self.id = container["Id"]
                if container["State"] == "created":  # the one who created it died before it could start it
                    self._client.start(self.id)
                return Found(container["Id"], container["Labels"]["etl.nonce"], adopted=True)
            self._remove(container["Id"])
        nonce = secrets.token_hex(16)
        arguments = create(nonce)
        arguments["labels"] = {
            **self._labels,
            **arguments["labels"],
            "etl.nonce": nonce,
            "etl.task_digest": self._digest,
        }
        self.id = self._client.create_container(name=self._name, stop_timeout=STOP_SECONDS, **arguments)["Id"]
        if not self._given_up:  # the order to stop may have come while the Engine was creating it
            self._client.start(self.id)
        return Found(self.id, nonce, adopted=False)

    def lines(self) -> Iterator[str]:
        """Give every line of its output, from the first, until it has ended.

        A connection that breaks on the way is made again, and goes on where it was.
        """
        heard = 0
        broken_since: float | None = None
        while True:
            try:
                for line in islice(self._follow(), heard, None):
                    heard, broken_since = heard + 1, None
                    yield line
                if not self._running():
                    # docker-py ends a stream in silence when its connection breaks; one read in a piece tells.
                    yield from islice(self._whole_log(), heard, None)
                    return
            except (RequestException, HTTPError, OSError) as error:
                broken_since = broken_since or time.monotonic()
                if time.monotonic() - broken_since > PATIENCE_SECONDS or isinstance(error, NotFound):
                    raise
            time.sleep(0.5)

    def state(self) -> State:
        """Say how it ended; where it still runs, when it began.

        Raises:
            NotFound: it was removed meanwhile.
        """
        state = self._client.inspect_container(self._started)["State"]
        return State(state["ExitCode"], state["OOMKilled"], _time(state["StartedAt"]), _time(state["FinishedAt"]))

    def remove(self) -> None:
        """Stop it within the time that Airflow leaves, and remove it; often is as good as once."""
        self._given_up = True
        if self.id is not None:
            with suppress(NotFound):
                self._client.stop(self.id, timeout=STOP_SECONDS)
            self._remove(self.id)

    @property
    def _started(self) -> str:
        if self.id is None:
            raise RuntimeError("ensure() comes first")
        return self.id

    def _existing(self) -> list[dict[str, Any]]:
        wanted = [f"{key}={value}" for key, value in self._labels.items()]
        containers: list[dict[str, Any]] = self._client.containers(all=True, filters={"label": wanted})
        return containers

    def _worth_adopting(self, container: dict[str, Any]) -> bool:
        if container["Labels"].get("etl.task_digest") != self._digest:
            return False
        if container["State"] in {"created", "running"}:
            return True
        state = self._client.inspect_container(container["Id"])["State"]
        return not State(state["ExitCode"], state["OOMKilled"]).killed

    def _running(self) -> bool:
        running: bool = self._client.inspect_container(self._started)["State"]["Running"]
        return running

    def _follow(self) -> Iterator[str]:
        """Give each line when it is whole; half a line at a break is no line."""
        rest = b""
        for chunk in self._client.logs(self._started, stdout=True, stderr=True, stream=True, follow=True):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from map(_text, whole)

    def _whole_log(self) -> Iterator[str]:
        log: bytes = self._client.logs(self._started, stdout=True, stderr=True, stream=False, follow=False)
        return map(_text, log.removesuffix(b"\n").split(b"\n") if log else [])

    def _remove(self, container_id: str) -> None:
        try:
            self._client.remove_container(container_id, force=True, v=True)
        except APIError as error:
            # 409: another is removing it right now
            if error.status_code not in {404, 409}:
                raise


def container_name(project: str, pipeline: str, stage: str, run_id: str) -> str:
    """Name the container of a stage of a run; the Engine lets a name exist only once."""
    return f"{project}-{pipeline}-{stage}-{hashlib.sha256(run_id.encode()).hexdigest()[:16]}"


def _time(written: str) -> datetime | None:
    """Read a time of the Engine's, which writes what was not yet as the year 1."""
    return None if written.startswith("0001-") else datetime.fromisoformat(written)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
