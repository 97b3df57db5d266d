"""Builds a DAG of a pipeline: a task a stage, in the order of the data."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    AssetAll,
    AssetAny,
    BaseOperator,
    Context,
    CronDataIntervalTimetable,
    chain,
    get_parsing_context,
)
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException

from etl_alerts._late import late
from etl_alerts._listener import remember
from etl_contract import StageName
from etl_platform._alerts import AlertSettings, read_alert_defaults
from etl_platform._assets import asset, outlets
from etl_platform._doc import page_of, page_of_broken
from etl_platform._operator import StageOperator
from etl_platform._params import form
from etl_platform._pipeline import Broken, Changed, Pipeline, read_pipelines
from etl_platform._settings import Settings


def build_dags() -> dict[str, DAG]:
    """Build the DAG of every pipeline file, by its id; in a task's process, only the DAG of that task."""
    settings = Settings.of_environment()
    only = get_parsing_context().dag_id
    read = read_pipelines(settings.pipelines, only)
    return {item.name: _broken_dag(item) if isinstance(item, Broken) else build_dag(item, settings) for item in read}


def build_dag(pipeline: Pipeline, settings: Settings) -> DAG:
    """Build a pipeline's DAG.

    The pipeline's whole text stands in the DAG's documentation, so that an edit of any of it is a new DAG version and
    Airflow shows which run used which code.
    """
    with DAG(
        dag_id=pipeline.name,
        description=pipeline.description,
        schedule=_schedule(pipeline),
        start_date=datetime.combine(pipeline.start, time.min, UTC),
        catchup=False,
        max_active_runs=1 if pipeline.one_after_the_other else 2,
        tags=list(pipeline.tags),
        is_paused_upon_creation=pipeline.paused,
        params=form(pipeline),
        default_args={
            "owner": pipeline.owner,
            "retries": pipeline.retries,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": 3,
            "max_retry_delay": timedelta(minutes=10),
            "on_failure_callback": remember,
            "on_success_callback": remember,
        },
        deadline=_deadline(pipeline, settings),
        doc_md=page_of(pipeline),
    ) as dag:
        operators = [
            StageOperator(
                task_id=stage.value,
                stage=stage,
                pipeline=pipeline,
                settings=settings,
                execution_timeout=timedelta(minutes=pipeline.limits.of(stage).minutes),
                outlets=outlets(pipeline) if stage is StageName.load else [],
            )
            for stage in pipeline.stages
        ]
        chain(*operators)
    return dag


def _schedule(pipeline: Pipeline) -> CronDataIntervalTimetable | AssetAll | AssetAny | None:
    """Give what starts a pipeline's runs: a clock, the change of all or any of some tables, or nothing."""
    match pipeline.schedule:
        case str(cron):
            return CronDataIntervalTimetable(cron, timezone=pipeline.timezone)
        case Changed(any_changed=tables) if tables:
            return AssetAny(*map(asset, tables))
        case Changed(changed=tables):
            return AssetAll(*map(asset, tables))
    return None


def _deadline(pipeline: Pipeline, settings: Settings) -> DeadlineAlert | None:
    """Give the time that a run may take before people are told, if any; bad defaults are told by who sends."""
    defaults = read_alert_defaults(settings.alerts)
    alerts = (defaults if isinstance(defaults, AlertSettings) else AlertSettings()).of(pipeline.alerts)
    if alerts.deadline_span is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=alerts.deadline_span, callback=SyncCallback(late)
    )


class _Problems(BaseOperator):
    """Fails with the problems of a pipeline file, for whoever triggers it all the same."""

    def __init__(self, *, message: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        del context
        raise AirflowFailException(self.message)


def _broken_dag(broken: Broken) -> DAG:
    """Build a DAG that shows what is wrong, so that one bad file hides neither itself nor its neighbours."""
    count = len(broken.problems)
    with DAG(
        dag_id=broken.name,
        dag_display_name=f"{broken.name} ⚠ {count} problem{'s' * (count > 1)}",
        description=f"{broken.problems[0]}",
        schedule=None,
        tags=["broken"],
        # It holds when the file is mended, too.
        is_paused_upon_creation=re.search(r"^paused:\s*true\b", broken.text, re.MULTILINE) is not None,
        doc_md=page_of_broken(broken),
    ) as dag:
        _Problems(task_id="problems", message=str(broken))
    return dag
