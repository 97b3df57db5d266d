"""Lets contenders do a job in turn, and says what we want to reach; whose time is the limit comes first."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from etl_contract import StageTask
from tests._engine import image
from tests.bench.arena import NONCE, PEERS, Arena, Container, Measured
from tests.bench.table import written

OURS = "etl-platform"
LIMIT = "limit: "  # what cannot be done faster with the tools at hand, and is not a peer
PATIENCE_SECONDS = 120  # who took so long altogether, and is neither the limit nor we, takes part no more


class Job(Protocol):
    """What `make bench` measures, and prints a table of."""

    def run(self, place: Arena, rounds: int, without: Sequence[str]) -> "Results":
        """Measure it."""

    def table(self, results: "Results") -> str:
        """Write what was measured as Markdown."""


class Contender(Protocol):
    """Somebody who does a job."""

    @property
    def name(self) -> str:
        """Give the name that stands in the table."""

    def run(self, place: Arena) -> Measured:
        """Do the job once.

        Raises:
            RuntimeError: it failed; holds the end of what it said.
        """


@dataclass(frozen=True)
class Goal:
    """What we want of ourselves: beside the limit, in memory, and ahead of a peer.

    Args:
        ratio: how many times the limit's seconds we take at most.
        over: how many seconds more than the limit we take at most.
        seconds: how many seconds we take at most, whatever the limit takes.
        mebibytes: the most memory.
        ahead: how many times faster we are than the fastest peer whose name begins so.
    """

    ratio: float | None = None
    over: float | None = None
    seconds: float | None = None
    mebibytes: float | None = None
    ahead: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """What everybody took, and why some took no part any more."""

    measured: Mapping[str, Sequence[Measured]]
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Race:
    """A job, and who does it; the first contender is the limit.

    Args:
        name: what is done.
        goal: what we want of ourselves.
        contenders: the limit first, then we, then the peers.
        before: makes ready what a run changes; it is not measured.
        ours: the names of those contenders that the goal is about.
    """

    name: str
    goal: Goal
    contenders: Sequence[Contender]
    before: Callable[[], object] = lambda: None
    ours: Sequence[str] = (OURS,)

    def run(self, place: Arena, rounds: int, without: Sequence[str]) -> Results:
        """Let everybody do the job, round after round; who fails once is out, and the reason is told."""
        measured: dict[str, list[Measured]] = defaultdict(list)
        problems: dict[str, str] = {}
        staying = [self.contenders[0].name, *self.ours]
        wanted = [who for who in self.contenders if who.name in staying or not any(w in who.name for w in without)]
        for number in range(1, rounds + 1):
            for contender in wanted:
                name = contender.name
                spent = sum(one.seconds for one in measured[name])
                if name in problems or (name not in staying and spent >= PATIENCE_SECONDS):
                    continue
                try:
                    self.before()
                    took = contender.run(place)
                except (RuntimeError, AssertionError, TimeoutError) as error:
                    problems[name] = str(error)
                    print(f"{self.name}, {name}: {error}", file=sys.stderr, flush=True)
                else:
                    measured[name].append(took)
                    print(f"{_now()} {self.name}, round {number}, {name}: {took.seconds:.2f} s", flush=True)
        return Results(measured, problems)

    def table(self, results: Results) -> str:
        """Write the limit, then the fastest to the slowest; below them each goal, and what is reached."""
        return written(self, results)


def stage(task: StageTask, memory: str = "512m", who: str = OURS, secrets: str = "secrets") -> Container:
    """Run a stage in its own image, as the operator would."""
    name = type(task).__name__.removesuffix("Task").lower()
    environment = {"ETL_TASK": task.model_dump_json(), "ETL_NONCE": NONCE}
    return Container(who, ("python", "-m", f"etl_{name}"), image(name), memory, environment, secrets)


def peer(environment: str, script: str, *arguments: str, name: str = "") -> Container:
    """Run a peer's script in the peer's environment."""
    command = (f"/opt/peers/{environment}/bin/python", f"/bench/peers/{script}.py", *arguments)
    return Container(name or environment, command, PEERS)


def psql(uri: str, *statements: str) -> Container:
    """Run statements in one session of psql."""
    words = [word for statement in statements for word in ("--command", statement)]
    return Container(f"{LIMIT}psql", ("psql", "--quiet", "--no-psqlrc", uri, "--set=ON_ERROR_STOP=1", *words), PEERS)


def _now() -> str:
    return time.strftime("%H:%M:%S")
