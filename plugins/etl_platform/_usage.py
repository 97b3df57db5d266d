"""Lays what stages took beside their limits, and proposes limits that fit.

etl.stage_runs, a line a try ──► Try ──┐
config/pipelines/NAME.yaml ──► limits ─┴──► StageUsage: the most and what is usual, of the limit; proposed limits
"""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from etl_contract import StageName
from etl_platform._ending import EndState
from etl_platform._pipeline import Pipeline, StageLimits

MIB = 1024**2
HEADROOM = 4 / 3  # of a proposed limit over the most that was taken
NEAR = 0.85  # what is taken of a limit that should be raised
ENOUGH_TRIES = 5  # before a limit is proposed that is lower
_LEAST = 128  # MiB: Python and a driver want as much before they do anything
_MOST_MINUTES = 24 * 60
_KILLED = 1.5  # of its limit is taken for what a try had needed that was ended by it
_STEPS = ((256, 32), (1024, 64), (2048, 128), (math.inf, 256))  # up to so many MiB, limits are multiples of so many


class Try(BaseModel):
    """A line of etl.stage_runs, as far as limits are about it."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    stage: StageName
    state: EndState
    seconds: float
    cpu_seconds: float | None
    peak_memory: int | None
    memory_limit: int
    minutes: int


class Proposal(NamedTuple):
    """What to write under `limits`, and why."""

    value: str | int
    reason: str


class StageUsage(NamedTuple):
    """A stage with its limits and its last tries, the oldest first."""

    stage: StageName
    limits: StageLimits
    tries: Sequence[Try] = ()

    @property
    def peaks(self) -> list[int]:
        """Give the peaks that are known, in their order of size."""
        return sorted(each.peak_memory for each in self.tries if each.peak_memory is not None)

    @property
    def most(self) -> int | None:
        """Give the largest peak in bytes."""
        return max(self.peaks, default=None)

    @property
    def usual(self) -> int | None:
        """Give the peak in bytes that 95 of 100 tries do not exceed."""
        peaks = self.peaks
        return peaks[math.ceil(0.95 * len(peaks)) - 1] if peaks else None

    @property
    def share(self) -> float | None:
        """Give the largest peak as a share of the limit that the stage has now."""
        return None if self.most is None else self.most / self.limits.memory_bytes

    @property
    def seconds(self) -> float | None:
        """Give what a try takes, as the one in the middle does."""
        return median(each.seconds for each in self.tries) if self.tries else None

    @property
    def cpu_seconds(self) -> float | None:
        """Give what a try computes, as the one in the middle does."""
        return median(known) if (known := [each.cpu_seconds for each in self.tries if each.cpu_seconds]) else None

    @property
    def longest(self) -> float | None:
        """Give the seconds of the try that took longest."""
        return max((each.seconds for each in self.tries), default=None)

    def ended(self, *states: EndState) -> int:
        """Count the tries that ended so."""
        return sum(each.state in states for each in self.tries)

    @property
    def memory(self) -> Proposal | None:
        """Propose another memory limit, where the one there is is near, or far above what is taken."""
        taken, limit = self._memory_needed, self.limits.memory_bytes
        value = _rounded(max(taken * HEADROOM / MIB, _LEAST))
        if taken > NEAR * limit and value * MIB > limit:
            killed = self._unanswered(EndState.out_of_memory, "memory_limit")
            return Proposal(
                _size(value), _why("killed at", [size_of(each.memory_limit) for each in killed]) or self._took
            )
        if taken and value * MIB <= limit / 2 and len(self.peaks) >= ENOUGH_TRIES:
            return Proposal(_size(value), self._took)
        return None

    @property
    def minutes(self) -> Proposal | None:
        """Propose more minutes, where a try took nearly as many as it may."""
        limit = self.limits.minutes
        stopped = self._unanswered(EndState.timed_out, "minutes")
        whole = [each.seconds / 60 for each in self.tries if each.state is not EndState.timed_out]
        taken = max([*whole, *(_KILLED * each.minutes for each in stopped)], default=0)
        value = min(_MOST_MINUTES, 5 * math.ceil(taken * HEADROOM / 5))
        if taken <= NEAR * limit or value <= limit:
            return None
        why = _why("stopped after", [f"{each.minutes} minutes" for each in stopped])
        return Proposal(value, why or f"took {taken:.0f} of {limit} minutes at most")

    @property
    def _took(self) -> str:
        return f"took {size_of(self.most or 0)} of {self.limits.memory} at most"

    @property
    def _memory_needed(self) -> float:
        """Give the most that a try took, and of one that was killed for it, more than it was allowed."""
        killed = self._unanswered(EndState.out_of_memory, "memory_limit")
        known = [each.peak_memory or 0 for each in self.tries if each.state is not EndState.out_of_memory]
        return max([*known, *(_KILLED * each.memory_limit for each in killed)], default=0)

    def _unanswered(self, state: EndState, limit: str) -> list[Try]:
        """Give the tries that a limit ended, but for those after which a larger one has done."""

        def answered(ended: Try, later: Iterable[Try]) -> bool:
            return any(
                each.state is EndState.success and getattr(each, limit) > getattr(ended, limit) for each in later
            )

        return [
            each
            for number, each in enumerate(self.tries, start=1)
            if each.state is state and not answered(each, self.tries[number:])
        ]


def usage_of(pipeline: Pipeline, tries: Iterable[Try]) -> list[StageUsage]:
    """Give each stage of a pipeline with its tries."""
    own = [each for each in tries if each.pipeline == pipeline.name]
    return [
        StageUsage(stage, pipeline.limits.of(stage), [each for each in own if each.stage is stage])
        for stage in pipeline.stages
    ]


def proposed(usage: Iterable[StageUsage]) -> dict[str, dict[str, Proposal]]:
    """Give what to write under `limits`, by stage and field."""
    found = {use.stage.value: {"memory": use.memory, "minutes": use.minutes} for use in usage}
    known = {stage: {name: each for name, each in fields.items() if each} for stage, fields in found.items()}
    return {stage: fields for stage, fields in known.items() if fields}


def _rounded(size: float) -> int:
    """Round MiB up to what a person would write."""
    step = next(step for most, step in _STEPS if size <= most)
    return step * math.ceil(size / step)


def size_of(size: float) -> str:
    """Write bytes as a limit is written, in the unit that holds them exactly."""
    return _size(round(size / MIB))


def _size(size: int) -> str:
    return f"{size // 1024}g" if size % 1024 == 0 else f"{size}m"


def _why(ended: str, limits: Sequence[str]) -> str:
    """Tell of the tries that a limit ended, by the last of these limits; nothing where there is none."""
    if not limits:
        return ""
    return f"{len(limits)} {'try was' if len(limits) == 1 else 'tries were'} {ended} {limits[-1]}"
