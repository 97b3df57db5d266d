"""What is left of a run that has ended, as Airflow's database knows it."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airflow.models
import pytest
from airflow.models import DagRun, TaskInstance
from airflow.models.base import Base
from airflow.models.xcom import XComModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from etl_alerts import _listener, _outbox
from etl_alerts._outbox import Happening, happened

CHECK = {"dataset": "orders", "rule": "price not null", "on_breach": "warn", "rows": 7, "breaches": 1}
STAGES = ("extract", "transform", "load")


class Runs:
    """Airflow's database, and the outbox."""

    def __init__(self, session: Session, outbox: Path) -> None:
        self._session = session
        self._outbox = outbox

    def end(self, *states: str, xcom: dict[str, dict[str, Any]] | None = None, **conf: bool) -> list[Happening]:
        """Let a run end whose stages are in these states; give what is left of it."""
        run = DagRun(dag_id="orders", run_id="run-1", run_type="manual", conf=conf)
        self._session.add(run)
        self._session.flush()
        task = {"dag_id": "orders", "run_id": "run-1", "map_index": -1, "pool": "default", "pool_slots": 1}
        for stage, state in zip(STAGES, states, strict=False):
            row = {**task, "id": uuid.uuid4(), "task_id": stage, "state": state}
            self._session.execute(TaskInstance.__table__.insert().values(row))
        for task_id, left in (xcom or {}).items():
            for key, value in left.items():
                XComModel.set(key, value, task_id=task_id, dag_id="orders", run_id="run-1", session=self._session)
        hear = _listener.on_dag_run_failed if "failed" in states else _listener.on_dag_run_success
        hear(dag_run=run, msg="")
        return [happening for _, happening in happened(self._outbox)]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Give a database with Airflow's tables, and an outbox."""
    airflow.models.import_all_models()
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    (tmp_path / "happened").mkdir()
    monkeypatch.setattr(_outbox, "OUTBOX", tmp_path)
    with Session(engine) as session:
        yield Runs(session, tmp_path)
    engine.dispose()


def test_a_run_that_failed_says_where_and_why(runs: Runs) -> None:
    """By the first stage of the data's way that did."""
    xcom = {"transform": {"problem": "a column is missing"}, "load": {"problem": "another"}}
    (left,) = runs.end("success", "failed", "failed", xcom=xcom)

    assert (left.kind, left.stage, left.problem) == ("failed", "transform", "a column is missing")


def test_a_run_that_succeeded_says_what_its_checks_found(runs: Runs) -> None:
    """It stopped nowhere."""
    (left,) = runs.end("success", "success", "success", xcom={"load": {"return_value": {"checks": [CHECK]}}})

    assert left.checks is not None
    assert (left.kind, left.stage, [check.breaches for check in left.checks]) == ("succeeded", "", [1])


def test_a_run_that_had_nothing_to_do_says_where_it_stopped(runs: Runs) -> None:
    """What load left of an earlier time is no news."""
    (left,) = runs.end("skipped", "skipped", "skipped", xcom={"load": {"return_value": {"checks": [CHECK]}}})

    assert (left.kind, left.stage, left.checks) == ("succeeded", "extract", None)


@pytest.mark.parametrize("state", ["failed", "skipped"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_is_told_to_nobody(runs: Runs, state: str, *, dry_run: bool) -> None:
    """It loads nothing: whoever tries it looks at it."""
    assert len(runs.end("success", "success", state, dry_run=dry_run)) == (not dry_run)
