"""Reads from Airflow's database what there is to tell of a run that has ended."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.models.xcom import XComModel
from sqlalchemy import inspect

from etl_alerts._listener import INTERVAL, PROBLEM
from etl_alerts._outbox import Happening, Kind
from etl_contract import Check, StageName

if TYPE_CHECKING:
    from airflow.models import DagRun
    from sqlalchemy.orm import Session


def happening_of(dag_run: "DagRun", kind: str) -> Happening:
    """Say what became of a run: where it failed and why, where it had nothing to do, or what its checks found."""
    session: Session | None = inspect(dag_run).session
    if session is None:
        raise RuntimeError("the run belongs to no session of the database")
    facts: dict[str, Any] = {
        "kind": Kind(kind),
        "at": datetime.now(UTC),
        "pipeline": dag_run.dag_id,
        "run_id": dag_run.run_id,
        "interval": _xcom(session, dag_run, INTERVAL),
    }
    ill = facts["kind"] is Kind.failed
    state = "failed" if ill else "skipped"
    stopped = {ti.task_id for ti in dag_run.get_task_instances(session=session) if ti.state == state}
    if stopped:
        # The first of the data's way; a broken pipeline's only task is no stage.
        facts["stage"] = next((stage.value for stage in StageName if stage in stopped), min(stopped))
        facts["problem"] = (_xcom(session, dag_run, PROBLEM, facts["stage"]) or "") if ill else ""
    elif not ill:
        result = _xcom(session, dag_run, "return_value", StageName.load.value)
        if result is not None:
            facts["checks"] = tuple(Check.model_validate(each) for each in result["checks"])
    return Happening.model_validate(facts)


def _xcom(session: "Session", dag_run: "DagRun", key: str, task_id: str | None = None) -> Any:  # noqa: ANN401 - any value
    """Give what a task left, or any of the run's, or nothing."""
    query = XComModel.get_many(run_id=dag_run.run_id, key=key, task_ids=task_id, dag_ids=dag_run.dag_id, limit=1)
    row = session.scalars(query).first()
    return None if row is None else XComModel.deserialize_value(row)
