"""What is left of a try for the notifier: what became of it, where lineage is on, and never a reason to fail."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from etl_contract import Fault, Outcome, StageName, StageResult
from etl_lineage._facts import WAITING, Fact, read_fact
from etl_lineage._telling import Telling
from etl_platform import Pipeline, read_pipeline
from etl_platform._container import State
from etl_platform._ending import Ending, EndState
from etl_platform._settings import Settings
from etl_platform._stage_runs import Began
from tests.etl_alerts.conftest import YAML
from tests.etl_lineage.conftest import NOON, columns, extracting

FAULT = Fault(
    kind="DataError", problem="keys are there more than once", where="load.orders", hint="Mend the transform."
)
DONE = StageResult(outcome=Outcome.done, columns=columns(orders={"id": "int64"}))
FAILED = StageResult(outcome=Outcome.failed, fault=FAULT)


def _telling(folder: Path, events: str = "file") -> Telling:
    (folder / "orders.yaml").write_text(YAML)
    (folder / "settings.yaml").write_text(f"events: {events}\n")
    pipeline = read_pipeline(folder / "orders.yaml")
    assert isinstance(pipeline, Pipeline)
    settings = Settings(
        "etl", "local", "x", "tcp://x", folder, lineage=folder / "settings.yaml", outbox=folder / "outbox"
    )
    limits = pipeline.limits.of(StageName.extract)
    began = Began("extract", extracting(), limits, "etl-platform/extract:local", -1, NOON)
    return Telling(settings, pipeline, began, NOON, columns(orders={"id": "int64"}))


def _left(folder: Path) -> list[Fact]:
    facts = [read_fact(file.read_bytes()) for file in sorted((folder / "outbox" / WAITING).glob("*"))]
    return [fact for fact in facts if isinstance(fact, Fact)]


def _container(ended: datetime | None) -> State:
    return State(0, out_of_memory=False, ended_at=ended)


@pytest.mark.parametrize(
    ("ending", "state", "problem"),
    [
        (Ending(EndState.success, result=DONE), "COMPLETE", ""),
        (Ending(EndState.skipped, FAULT, StageResult(outcome=Outcome.skipped, fault=FAULT)), "COMPLETE", ""),
        (Ending(EndState.failed, FAULT, FAILED), "FAIL", str(FAULT)),
        (Ending(EndState.timed_out, FAULT), "FAIL", str(FAULT)),
        (Ending(EndState.out_of_memory, FAULT), "FAIL", str(FAULT)),
        (Ending(EndState.killed, FAULT), "ABORT", str(FAULT)),
    ],
)
def test_every_end_has_its_state_and_its_words(tmp_path: Path, ending: Ending, state: str, problem: str) -> None:
    """Only what is done has made something."""
    telling = _telling(tmp_path)
    telling.begun()
    telling.ended(ending)
    began, ended = _left(tmp_path)

    assert (began.state, began.at, began.result) == ("START", NOON, None)
    assert (ended.state, ended.problem, ended.owner) == (state, problem, "shop-team")
    assert (ended.result is not None) == (ending.state is EndState.success)
    assert ended.columns == columns(orders={"id": "int64"})


def test_an_end_is_when_the_container_ended(tmp_path: Path) -> None:
    """But never before its beginning, as the Engine's clock may have it."""
    telling = _telling(tmp_path)
    for minutes in (2, -2):
        telling.ended(Ending(EndState.success, result=DONE, container=_container(NOON + timedelta(minutes=minutes))))

    assert [fact.at for fact in _left(tmp_path)] == [NOON + timedelta(minutes=2), NOON]


def test_where_it_is_off_nothing_is_left(tmp_path: Path) -> None:
    """Not even a folder."""
    telling = _telling(tmp_path, "none")
    telling.begun()
    telling.ended(Ending(EndState.success, result=DONE))

    assert not (tmp_path / "outbox").exists()


def test_no_trouble_with_it_is_a_stages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A disk that is full, say, is a line in the task's log."""
    telling = _telling(tmp_path)
    (tmp_path / "outbox").write_text("in its place")
    telling.begun()

    assert "This try is missing in lineage, which changes nothing else" in caplog.text
