"""Says how a try of a stage ended: its state for the books, its fault for people, and what Airflow does next.

StageResult, State of the container, error of the Engine ──► Ending ──► the stage's result, or an exception
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from docker.errors import APIError, ImageNotFound

from etl_contract import Fault, Outcome, StageName, StageResult
from etl_platform._container import State
from etl_platform._pipeline import Pipeline


class EndState(StrEnum):
    """How a try ended, as etl.stage_runs has it."""

    success = "success"
    skipped = "skipped"
    failed = "failed"
    out_of_memory = "out_of_memory"
    timed_out = "timed_out"
    killed = "killed"


class Ending(NamedTuple):
    """The end of a try: what the stage said, how its container ended, and whether another try may end otherwise."""

    state: EndState
    fault: Fault | None = None
    result: StageResult | None = None
    container: State | None = None
    again: bool = False

    def concluded(self) -> StageResult:
        """Give the result of a stage that is done.

        Raises:
            AirflowSkipException: there was nothing to do.
            AirflowFailException: a person must mend something first.
            AirflowException: it is worth another try.
        """
        match self.state:
            case EndState.success if self.result is not None:
                return self.result
            case EndState.skipped:
                raise AirflowSkipException(str(self.fault))
            case _ if self.again:
                raise AirflowException(str(self.fault))
            case _:
                raise AirflowFailException(str(self.fault))


_STATES = {Outcome.done: EndState.success, Outcome.skipped: EndState.skipped}
_MEMORY = "MemoryError"
_AGAIN = "It is tried again."
_A_DAY = 24 * 60  # the most minutes that a pipeline file may give


def ending_of(pipeline: Pipeline, stage: StageName, result: StageResult | None, container: State) -> Ending:
    """Say how a stage ended whose container has: as it said, or as it was killed."""
    if result is not None:
        state = _STATES.get(result.outcome, EndState.failed)
        if result.fault is not None and result.fault.kind == _MEMORY:
            state = EndState.out_of_memory
        return Ending(state, result.fault, result, container, again=result.outcome is Outcome.retry)
    if container.out_of_memory:
        return Ending(EndState.out_of_memory, _out_of_memory(pipeline, stage), container=container)
    problem = f"The container ended with exit code {container.exit_code} and no result: it was killed"
    return Ending(EndState.killed, Fault(kind="Killed", problem=problem, hint=_AGAIN), container=container, again=True)


def removed() -> Ending:
    """Say that the container is gone: mostly since somebody marked the task."""
    return Ending(
        EndState.killed, Fault(kind="Killed", problem="The container was removed before it ended"), again=True
    )


def timed_out(pipeline: Pipeline, stage: StageName, container: State | None) -> Ending:
    """Say that it took longer than it may."""
    minutes = pipeline.limits.of(stage).minutes
    more = f"limits: {{{stage}: {{minutes: {min(2 * minutes, _A_DAY)}}}}}"
    fault = Fault(
        kind="TimedOut",
        problem=f"The stage took longer than its limit of {minutes} minutes and was stopped",
        where=_place(pipeline, stage, "minutes"),
        hint=f"{_AGAIN} If it is meant to take so long, give it more: {more}",
    )
    return Ending(EndState.timed_out, fault, container=container, again=True)


def unreachable(error: Exception) -> Ending:
    """Say that the Engine, or the guard before it, does not answer any more."""
    problem = f"The Docker Engine does not answer: {error}"
    fault = Fault(kind="Unreachable", problem=problem, where="service docker-guard", hint=f"{_AGAIN} See: make status")
    return Ending(EndState.failed, fault, again=True)


def not_started(pipeline: Pipeline, image: str, error: APIError) -> Ending:
    """Say why the Engine, or the guard before it, started no container; what a person must mend is not retried."""
    explanation = str(error.explanation or error)
    again = False
    where, hint = "", ""
    if isinstance(error, ImageNotFound):
        problem, hint = f"There is no image {image}", "Build it: make up"
    elif missing := re.search(r"/connections/([\w-]+): no such file", explanation):
        problem, where = f"There is no connection '{missing[1]}'", f"config/pipelines/{pipeline.name}.yaml"
        hint = "Sources name one that is there, such as 'source' or 'warehouse': make connection lists them."
    elif re.search(rf"/{re.escape(pipeline.name)}: no such file", explanation):
        problem, where = "The files that extract left are gone", f"volume runs, folder {pipeline.name}"
        hint = "Clear extract, and those after it: sources are read again."
    elif error.status_code == HTTPStatus.FORBIDDEN:
        problem = f"The guard of the Docker Engine refuses this container: {explanation}"
        where = f"config/pipelines/{pipeline.name}.yaml, and config/docker_guard.yaml"
        hint = "Ask for no more than the guard allows; mostly it is about 'limits'."
    else:
        problem, hint, again = f"The Docker Engine started no container: {explanation}", _AGAIN, True
    return Ending(EndState.failed, Fault(kind="NotStarted", problem=problem, where=where, hint=hint), again=again)


def _out_of_memory(pipeline: Pipeline, stage: StageName) -> Fault:
    limit = pipeline.limits.of(stage).memory
    more = f"limits: {{{stage}: {{memory: {2 * int(limit[:-1])}{limit[-1]}}}}}"
    return Fault(
        kind="OutOfMemory",
        problem=f"The stage reached its memory limit of {limit} and was killed",
        where=_place(pipeline, stage, "memory"),
        hint=f"A new try would end the same way. Give it more, {more}, or read less at once. "
        "What it took before: make usage",
    )


def _place(pipeline: Pipeline, stage: StageName, limit: str) -> str:
    return f"config/pipelines/{pipeline.name}.yaml, limits.{stage}.{limit}"
