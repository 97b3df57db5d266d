"""Hears from Airflow's scheduler that a run has ended, and leaves word of it; no run depends on that."""

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models import DagRun

# The keys under which a task leaves, in XCom, why it failed and what its run is about.
PROBLEM, INTERVAL = "problem", "interval"
log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_success(dag_run: "DagRun", msg: str) -> None:
    """Leave word of a run that succeeded, with its checks."""
    del msg
    _tell(dag_run, "succeeded")


@hookimpl
def on_dag_run_failed(dag_run: "DagRun", msg: str) -> None:
    """Leave word of a run that failed, with the stage that did, and what was wrong."""
    del msg
    _tell(dag_run, "failed")


def remember(context: Any) -> None:  # noqa: ANN401 - Airflow's context of a task
    """Keep what a task's run is about, and why it failed for good, until the scheduler sees that the run has ended."""
    ti = context["ti"]
    if (interval := getattr(ti.task, "interval", None)) is not None:
        ti.xcom_push(INTERVAL, interval.model_dump(mode="json"))
    if context.get("exception") is not None:
        ti.xcom_push(PROBLEM, str(context["exception"]))


def _tell(dag_run: "DagRun", kind: str) -> None:
    from etl_alerts._outbox import OUTBOX, put  # noqa: PLC0415 - every process of Airflow imports this module

    if not OUTBOX.is_dir():  # a person said so in the web UI
        return
    try:
        from etl_alerts._run import happening_of  # noqa: PLC0415 - as above
        from etl_platform._request import is_dry_run  # noqa: PLC0415 - as above

        if not is_dry_run(dag_run.conf):
            put(happening_of(dag_run, kind), OUTBOX)
    except Exception:
        log.exception("Nobody is told that run %s of %s has %s", dag_run.run_id, dag_run.dag_id, kind)
