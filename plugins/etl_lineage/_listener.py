"""Hears from Airflow's scheduler that a run has begun or ended, and leaves word of it; no run depends on that."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models import DagRun

log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_running(dag_run: "DagRun", msg: str) -> None:
    """Leave word of a run that begins."""
    del msg
    _tell(dag_run, "START")


@hookimpl
def on_dag_run_success(dag_run: "DagRun", msg: str) -> None:
    """Leave word of a run that succeeded."""
    del msg
    _tell(dag_run, "COMPLETE")


@hookimpl
def on_dag_run_failed(dag_run: "DagRun", msg: str) -> None:
    """Leave word of a run that failed; which stage did, and why, is told by that."""
    del msg
    _tell(dag_run, "FAIL")


def _tell(dag_run: "DagRun", state: str) -> None:
    from etl_lineage._settings import is_wanted  # noqa: PLC0415 - every process of Airflow imports this module
    from etl_platform._settings import Settings  # noqa: PLC0415 - as above

    try:
        settings = Settings.of_environment()
        if settings.outbox.is_dir() and is_wanted(settings.lineage):  # else a person said so in the web UI
            from etl_lineage._facts import RunFact, leave  # noqa: PLC0415 - as above

            facts = {"pipeline": dag_run.dag_id, "run_id": dag_run.run_id, "queued": dag_run.run_after}
            leave(RunFact.model_validate({**facts, "state": state, "at": datetime.now(UTC)}), settings.outbox)
    except Exception:
        log.exception("Run %s of %s is missing in lineage, which changes nothing else", dag_run.run_id, dag_run.dag_id)
