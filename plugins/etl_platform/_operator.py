"""Runs a stage of a pipeline as a container, durably: see docs/decisions/durable-containers.md."""

import hashlib
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout
from docker.errors import APIError, NotFound
from requests.exceptions import RequestException

from etl_contract import (
    Check,
    Conversation,
    DataError,
    Dataset,
    ExtractTask,
    Fault,
    Interval,
    LoadTask,
    SpecError,
    StageName,
    StageResult,
    StageTask,
    StageUse,
    VisualizeTask,
    exports_of,
)
from etl_lineage._telling import Telling
from etl_platform._assets import changed, tell
from etl_platform._container import StageContainer, State, container_name
from etl_platform._ending import Ending, ending_of, not_started, removed, timed_out, unreachable
from etl_platform._interval import run_interval
from etl_platform._pipeline import Pipeline
from etl_platform._report_link import ReportLink
from etl_platform._request import read_request
from etl_platform._run_folder import run_folder
from etl_platform._settings import Settings
from etl_platform._stage_runs import Began, add, stage_run
from etl_platform._stages import host_config, image
from etl_platform._tasks import transform_task

API_VERSION = "1.45"  # the first with volume sub-paths; naming it saves a question to the Engine


class StageOperator(DockerOperator):
    """Runs one stage of one pipeline in its container, and gives its StageResult to XCom.

    Whatever happens to the scheduler, a stage of a run has one container: a new try adopts the one that runs, hears
    its log from the first line, and takes its result.
    """

    ui_color = "#e8f0f7"
    template_fields = ()

    def __init__(self, *, stage: StageName, pipeline: Pipeline, settings: Settings, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(
            image=image(stage, settings),
            docker_url=settings.engine_url,
            api_version=API_VERSION,
            mount_tmp_dir=False,
            auto_remove="never",
            **kwargs,
        )
        self.stage = stage
        self.pipeline = pipeline
        self.settings = settings
        self.interval: Interval | None = None  # what the run is about, once that is known
        self._stage_container: StageContainer | None = None
        if stage is StageName.visualize:
            self.operator_extra_links = (ReportLink(),)

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]  # the parent gives log lines
        """Run the stage; its outcome decides what Airflow does next."""
        before = self._results_before(context)
        try:
            task = self._task(context, before)
        except (DataError, SpecError) as error:
            raise AirflowFailException(str(Fault.of(error))) from None
        limits = self.pipeline.limits.of(self.stage)
        map_index = -1 if context["ti"].map_index is None else context["ti"].map_index
        began = Began(self.stage.value, task, limits, self.image, map_index, datetime.now(UTC))
        self.interval = task.interval
        told = self._telling(context, began, before)
        told.begun()
        try:
            ending = self._run(task)
        except AirflowTaskTimeout:
            ending = timed_out(self.pipeline, self.stage, self._state())
        except RequestException as error:
            self._stage_container = None  # the next try finds it
            ending = unreachable(error)
        finally:
            # The time that Airflow gives is the stage's, and that has ended.
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._clear_away()
        self._record(began, ending)
        told.ended(ending)
        result = ending.concluded()
        self._say_done(result)
        if self.stage is StageName.load:
            tell(context["outlet_events"], task.pipeline, task.interval, result)
        return result.model_dump(mode="json")

    def on_kill(self) -> None:
        """Stop and remove the container, within the 5 s before Airflow kills the task's process."""
        if self._stage_container is not None:
            self._stage_container.remove()

    def _clear_away(self) -> None:
        """Remove the container; what came of the stage stands, even where the Engine cannot do that."""
        try:
            self.on_kill()
        except (APIError, RequestException) as error:
            reason = " ".join(str(error).split())
            self.log.warning("The stage's container is left behind, which changes nothing else", reason=reason)

    def _run(self, task: StageTask) -> Ending:
        text = task.model_dump_json()
        digest = hashlib.sha256(task.model_copy(update={"try_number": 1}).model_dump_json().encode()).hexdigest()
        name = container_name(self.settings.project, task.pipeline, self.stage.value, task.run_id)
        labels = {
            "etl.installation": self.settings.installation,
            "etl.pipeline": task.pipeline,
            "etl.run_id": task.run_id,
            "etl.stage": self.stage.value,
        }
        container = self._stage_container = StageContainer(self.cli, name, labels, digest)
        try:
            found = container.ensure(lambda nonce: self._arguments(text, nonce, task.try_number))
        except APIError as error:
            return not_started(self.pipeline, self.image, error)
        if found.adopted:
            self.log.info("Found the container that an earlier try started; this is its log from the beginning")
        conversation = Conversation(found.nonce)
        try:
            for line in container.lines():
                if heard := conversation.hear(line):
                    getattr(self.log, heard.level, self.log.info)(heard.event, **heard.facts)
            state = container.state()
        except NotFound:
            return removed()
        return ending_of(self.pipeline, self.stage, conversation.result, state)

    def _state(self) -> State | None:
        """Give what the Engine still knows of the container, if anything."""
        with suppress(Exception):
            return self._stage_container.state() if self._stage_container else None
        return None

    def _record(self, began: Began, ending: Ending) -> None:
        """Write the try into the book; a run is worth more than its line there."""
        try:
            add(stage_run(began, ending), self.settings.recorder)
        except Exception as error:  # noqa: BLE001 - whatever it is
            reason = " ".join(str(error).split())
            self.log.warning("This try is missing in etl.stage_runs, which changes nothing else", reason=reason)

    def _telling(self, context: Context, began: Began, before: Mapping[StageName, StageResult]) -> Telling:
        columns = {name: types for result in before.values() for name, types in result.columns.items()}
        return Telling(self.settings, self.pipeline, began, context["dag_run"].run_after, columns)

    def _arguments(self, text: str, nonce: str, try_number: int) -> dict[str, Any]:
        return {
            "image": self.image,
            "environment": {"ETL_TASK": text, "ETL_NONCE": nonce},
            "labels": {"etl.try_number": str(try_number)},
            "host_config": self.cli.create_host_config(**host_config(self.stage, self.pipeline, self.settings)),
        }

    def _say_done(self, result: StageResult) -> None:
        self.log.info(
            f"{self.stage.value} is done",
            rows=result.rows_out or result.rows_in,
            bytes=result.bytes_out,
            seconds=result.seconds,
            peak_memory=result.peak_memory,
        )

    def _task(self, context: Context, before: Mapping[StageName, StageResult]) -> StageTask:
        """Say what the stage is told in this run."""
        dag_run, ti = context["dag_run"], context["ti"]
        filled_in = cast("Mapping[str, Any]", context["params"])
        request = read_request(self.pipeline, filled_in, backfill=dag_run.run_type == "backfill")
        interval = request.interval or run_interval(
            self.pipeline,
            (dag_run.data_interval_start, dag_run.data_interval_end),
            dag_run.run_after,
            changed(context.get("triggering_asset_events")),
        )
        folder = f"{self.pipeline.name}/{run_folder(dag_run.run_id)}"
        common: dict[str, Any] = {
            "pipeline": self.pipeline.name,
            "run_id": dag_run.run_id,
            "try_number": max(1, ti.try_number),
            "interval": interval,
            "run_uri": f"file:///runs/{folder}",
            "params": request.params,
        }
        pipeline = self.pipeline
        match self.stage:
            case StageName.extract:
                return ExtractTask(spec=pipeline.extract, full_refresh=request.full_refresh, **common)
            case StageName.transform if StageName.transform in pipeline.stages:
                return transform_task(pipeline, before[StageName.extract].datasets, **common)
            case StageName.load:
                extracted = before[StageName.extract]
                made = before.get(StageName.transform, extracted)
                return LoadTask(
                    spec=pipeline.load,
                    export=tuple(exports_of(pipeline.export)),
                    inputs=made.datasets,
                    expect={name: part for name, e in (pipeline.expect or {}).items() if (part := e.warehouse_part())},
                    checks=_in_short(made.checks),
                    quarantined=made.quarantined,
                    watermarks=extracted.watermarks,
                    files=extracted.files,
                    whole=tuple(sorted(pipeline.extract.keys() - pipeline.cursors)),
                    again=pipeline.again,
                    idle=pipeline.idle(extracted.files),
                    mixed=pipeline.mixed,
                    full_refresh=request.full_refresh,
                    dry_run=request.dry_run,
                    **common,
                )
            case StageName.visualize if pipeline.visualize is not None:
                # A dataset that a stage hands on as it found it is told once.
                datasets: dict[Dataset, None] = {data: None for result in before.values() for data in result.datasets}
                return VisualizeTask(
                    spec=pipeline.visualize,
                    inputs=tuple(datasets),
                    checks=_in_short(before[StageName.load].checks),
                    loads=before[StageName.load].loads,
                    exports=before[StageName.load].exports,
                    stages=tuple(self._use(stage, result) for stage, result in before.items()),
                    report_uri=f"file:///reports/{folder}",
                    **common,
                )
            case _:
                raise AirflowFailException(f"The pipeline has no stage {self.stage.value} any more.")

    def _use(self, stage: StageName, result: StageResult) -> StageUse:
        """Say what a stage that is done took, beside what it might have taken."""
        aside = sum(dataset.rows for dataset in result.quarantined)
        limit = self.pipeline.limits.of(stage).memory_bytes
        return StageUse.of(result, stage=stage.value, rows_quarantined=aside, memory_limit=limit)

    def _results_before(self, context: Context) -> dict[StageName, StageResult]:
        """Take the results of the stages before this one from XCom."""
        results = {}
        for stage in self.pipeline.stages[: self.pipeline.stages.index(self.stage)]:
            value = context["ti"].xcom_pull(task_ids=stage.value)
            if value is None:
                message = f"Stage {stage.value} left no result. Clear it, and those after it"
                hint = "or start a new run, where this one is older than the stage"
                raise AirflowFailException(f"{message}; {hint}.")
            results[stage] = StageResult.model_validate(value)
        return results


def _in_short(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Leave out the examples, which stand in the log: a task has to fit into one environment variable."""
    return tuple(check.model_copy(update={"examples": ()}) for check in checks)
