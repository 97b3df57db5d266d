"""Hears from Airflow's scheduler that a run has ended, and leaves word of it; no run depends on that."""

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models import DagRun

PROBLEM = "problem"  # the key under which a task that failed leaves what was wrong
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


def remember_problem(context: Any) -> None:  # noqa: ANN401 - Airflow's context of a task
    """Keep why a task failed for good, in XCom, where the scheduler finds it when the run has ended."""
    context["ti"].xcom_push(PROBLEM, str(context.get("exception") or ""))


def _tell(dag_run: "DagRun", kind: str) -> None:
    from etl_alerts._outbox import OUTBOX, put  # noqa: PLC0415 - every process of Airflow imports this module

    if not OUTBOX.is_dir():  # a person said so in the web UI
        return
    try:
        from etl_alerts._run import happening_of  # noqa: PLC0415 - as above

        put(happening_of(dag_run, kind), OUTBOX)
    except Exception:
        log.exception("Nobody is told that run %s of %s has %s", dag_run.run_id, dag_run.dag_id, kind)
