"""Asks Airflow which pipelines a person may see, and how their runs went."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from airflow.api_fastapi.app import get_auth_manager
from airflow.models import DagModel, DagRun, TaskInstance
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from etl_contract import StageName

RUNNING = {"queued", "running"}
WORDS = {"success": "Success", "failed": "Failed", "running": "Running", "queued": "Queued", "none": "Not run yet"}
_ORDER = [stage.value for stage in StageName]
_BLAMED = ("failed", "upstream_failed", "skipped")


class Pipeline(NamedTuple):
    """A pipeline as Airflow lists it."""

    dag_id: str
    description: str
    tags: tuple[str, ...]
    paused: bool


class Run(NamedTuple):
    """A run with its tasks' states by name."""

    dag_id: str
    run_id: str
    state: str
    started: datetime | None
    tasks: dict[str, str]

    @property
    def word(self) -> str:
        """Give its state for people."""
        return WORDS.get(self.state, self.state)

    @property
    def draws(self) -> bool:
        """Say whether a report is among its work."""
        return StageName.visualize.value in self.tasks

    @property
    def at(self) -> str:
        """Name the task that failed or skipped, or else the one that is at work."""
        ordered = sorted(self.tasks, key=lambda name: _ORDER.index(name) if name in _ORDER else -1)
        for states in (_BLAMED[:1], _BLAMED[1:], ("running",), ("queued", "scheduled", "up_for_retry", "deferred")):
            if found := next((name for name in ordered if self.tasks[name] in states), None):
                return found
        return ""


def visible(session: Session, user: Any) -> dict[str, Pipeline]:  # noqa: ANN401 - the auth manager's own
    """Give the pipelines that the user may see, by name."""
    allowed = get_auth_manager().get_authorized_dag_ids(user=user, method="GET", session=session)
    query = select(DagModel).where(DagModel.dag_id.in_(allowed), DagModel.is_stale.is_(False)).order_by(DagModel.dag_id)
    return {
        dag.dag_id: Pipeline(
            dag.dag_id, dag.description or "", tuple(sorted(tag.name for tag in dag.tags)), bool(dag.is_paused)
        )
        for dag in session.scalars(query).unique()
    }


def latest(session: Session, dag_ids: Collection[str]) -> dict[str, Run]:
    """Give the run of each pipeline that was started last."""
    last = select(func.max(DagRun.id)).where(DagRun.dag_id.in_(dag_ids)).group_by(DagRun.dag_id)
    return {run.dag_id: run for run in _runs(session, DagRun.id.in_(last.scalar_subquery()))}


def states(session: Session, dag_id: str, run_ids: Collection[str]) -> dict[str, Run]:
    """Give these runs of a pipeline by id; what was cleaned out of Airflow is not among them."""
    return {run.run_id: run for run in _runs(session, DagRun.dag_id == dag_id, DagRun.run_id.in_(run_ids))}


def _runs(session: Session, *conditions: Any) -> list[Run]:  # noqa: ANN401 - SQLAlchemy's
    runs = list(session.scalars(select(DagRun).where(*conditions)))
    of_runs = select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state).where(
        TaskInstance.dag_id.in_({run.dag_id for run in runs}), TaskInstance.run_id.in_({run.run_id for run in runs})
    )
    tasks: dict[tuple[str, str], dict[str, str]] = {}
    for dag_id, run_id, task_id, state in session.execute(of_runs):
        tasks.setdefault((dag_id, run_id), {})[task_id] = str(state or "")
    return [
        Run(run.dag_id, run.run_id, str(run.state), run.start_date, tasks.get((run.dag_id, run.run_id), {}))
        for run in runs
    ]
