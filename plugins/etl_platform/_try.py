"""Tries a pipeline on a sample: extract and transform in their real images, and what load would make of it.

sources ──sample──► extract ──► transform, expect ──► etl_load.preview ──► types, first rows, the table's DDL
               in a volume of its own, which is removed at the end; nothing is loaded, and no source is marked as read
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from docker import APIClient
from docker.errors import APIError

from etl_contract import (
    Check,
    Conversation,
    ExtractTask,
    Interval,
    LoadTask,
    Source,
    SqlSource,
    StageError,
    StageName,
    StageResult,
    StageTask,
)
from etl_platform._interval import last_complete, local_day
from etl_platform._once import ALONE, Program, container, lines
from etl_platform._pipeline import Pipeline
from etl_platform._settings import Settings
from etl_platform._stages import host_config, image
from etl_platform._tasks import transform_task

_MARK = "::etl-preview"
Waiting = Callable[[str], AbstractContextManager[Any]]


class StageFailed(StageError):
    """A stage was tried and failed; another try may tell the same."""


class Trial(NamedTuple):
    """What came of it: the results of the stages, and of each dataset what load would make of it."""

    interval: Interval
    stages: Mapping[str, StageResult]
    datasets: list[dict[str, Any]]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Give what was checked."""
        return tuple(check for result in self.stages.values() for check in result.checks)


class Sample(NamedTuple):
    """What is tried: a day, or the last complete interval; at most so many rows of each table; how many are shown."""

    day: date | None = None
    rows: int | None = 10_000
    shown: int = 5


def try_pipeline(pipeline: Pipeline, sample: Sample, client: APIClient, settings: Settings, waiting: Waiting) -> Trial:
    """Run it.

    Args:
        pipeline: a pipeline that is well.
        sample: what of its sources.
        client: the Engine.
        settings: whose networks, connections and images are used.
        waiting: called with a stage's name; entered while that runs.

    Raises:
        StageFailed: a stage did; says why.
        StageError: nothing could be tried.
    """
    interval = local_day(sample.day, pipeline.timezone) if sample.day else last_complete(pipeline, datetime.now(UTC))
    run_uri = f"file:///runs/{pipeline.name}/try"
    common: dict[str, Any] = {"pipeline": pipeline.name, "run_id": "try", "run_uri": run_uri}
    common |= {"interval": interval, "params": pipeline.params}
    with _volume(client, settings) as volume:
        trier = _Trier(pipeline, client, settings, volume, waiting)
        sources = {name: _from_the_beginning(source) for name, source in pipeline.extract.items()}
        extracted = trier.run(ExtractTask(spec=sources, sample=sample.rows, **common))
        stages = {"extract": extracted}
        if StageName.transform in pipeline.stages:
            stages["transform"] = trier.run(transform_task(pipeline, extracted.datasets, **common))
        made = list(stages.values())[-1].datasets
        task = LoadTask(spec=pipeline.load, inputs=made, **common)
        return Trial(interval, stages, trier.preview(task, sample.shown))


class _Trier:
    """Runs stages of a pipeline over one volume."""

    def __init__(
        self, pipeline: Pipeline, client: APIClient, settings: Settings, volume: str, waiting: Waiting
    ) -> None:
        self._pipeline = pipeline
        self._client = client
        self._settings = settings
        self._volume = volume
        self._waiting = waiting

    def run(self, task: StageTask) -> StageResult:
        """Run a stage as a run would, but for where its rows go."""
        stage: StageName = task.stage  # type: ignore[attr-defined]  # each kind of task has one
        host = host_config(stage, self._pipeline, self._settings)
        for mount in host["mounts"]:
            if mount["Source"] == f"{self._settings.project}_runs":
                mount["Source"] = self._volume
        self._need(host["network_mode"])
        nonce = secrets.token_hex(16)
        conversation = Conversation(nonce)
        program = Program(image(stage, self._settings), {"ETL_TASK": task.model_dump_json(), "ETL_NONCE": nonce})
        with self._waiting(stage.value), container(self._client, program, host) as running:
            said = [heard.event for line in lines(self._client, running) if (heard := conversation.hear(line))]
        if (result := conversation.result) is None:
            memory = self._pipeline.limits.of(stage).memory
            hint = f"It may have needed more memory than its limit of {memory}."
            raise StageFailed(f"{stage} ended without a result", hint="\n".join([hint, *said[-10:]]))
        if result.fault is not None:
            raise StageFailed(f"{stage}: {result.fault.problem}", where=result.fault.where, hint=result.fault.hint)
        return result

    def preview(self, task: LoadTask, rows: int) -> list[dict[str, Any]]:
        """Ask load what it would make of the datasets."""
        nonce = secrets.token_hex(16)
        environment = {"ETL_TASK": task.model_dump_json(), "ETL_NONCE": nonce, "ETL_ROWS": str(rows)}
        program = Program(image(StageName.load, self._settings), environment, ["python", "-m", "etl_load.preview"])
        host = {**ALONE, "binds": {self._volume: {"bind": "/runs", "mode": "ro"}}}
        with self._waiting("preview of load"), container(self._client, program, host) as running:
            said = list(lines(self._client, running))
        answers = [json.loads(line.split(" ", 2)[2]) for line in said if line.startswith(f"{_MARK} {nonce} ")]
        if not answers:
            raise StageFailed("load gave no answer", hint="\n".join(said[-10:]))
        answer = answers[-1]
        if "problem" in answer:
            raise StageFailed(answer["problem"], where=answer["where"], hint=answer["hint"])
        datasets: list[dict[str, Any]] = answer["datasets"]
        return datasets

    def _need(self, network: str) -> None:
        if network != "none" and network not in {each["Name"] for each in self._client.networks()}:
            raise StageError(f"the platform is not running: there is no network {network}", hint="Start it: make up")


@contextmanager
def _volume(client: APIClient, settings: Settings) -> Iterator[str]:
    """Make a volume for the rows on their way, and remove it."""
    name = f"{settings.project}_try_{secrets.token_hex(4)}"
    client.create_volume(name, labels={"etl.try": settings.project})
    try:
        yield name
    finally:
        with suppress(APIError):
            client.remove_volume(name, force=True)


def _from_the_beginning(source: Source) -> Source:
    """Let a database's rows be read whatever earlier runs have read of them."""
    return source.model_copy(update={"cursor": None, "lookback": None}) if isinstance(source, SqlSource) else source
