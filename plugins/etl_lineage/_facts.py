"""Carries what a try of a stage read and made from the scheduler to the notifier: a file each, whole or not at all."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter

from etl_alerts import _outbox
from etl_contract import Expect, ExtractTask, LoadTask, StageResult, TransformTask, VisualizeTask
from etl_contract._model import Model
from etl_contract._result import Columns

WAITING = Path("lineage") / "waiting"
Task = Annotated[ExtractTask | TransformTask | LoadTask | VisualizeTask, Field(discriminator="stage")]


class State(StrEnum):
    """What has become of a try, in OpenLineage's words."""

    start = "START"
    complete = "COMPLETE"
    fail = "FAIL"
    abort = "ABORT"


class RunFact(Model):
    """The beginning or the end of a pipeline's run, which is the parent of its stages' tries.

    Args:
        state: which of them.
        at: when that was.
        queued: when the run was to begin: its id is made from it.
        pipeline: whose run it is.
        run_id: Airflow's id of it.
    """

    state: State
    at: AwareDatetime
    queued: AwareDatetime
    pipeline: str
    run_id: str


class Fact(Model):
    """The beginning or the end of a try, with all that an event of it needs.

    Args:
        state: which of them.
        at: when that was.
        began: when the try began.
        queued: when its run was to begin: the run's id is made from it.
        owner: whose pipeline it is.
        description: what the pipeline is.
        image: what its container was made of.
        task: what the stage was told.
        columns: the columns of what it read, by dataset.
        expect: what the pipeline expects of its datasets.
        result: what came of it, if anything did.
        problem: why it did not end well.
    """

    state: State
    at: AwareDatetime
    began: AwareDatetime
    queued: AwareDatetime
    owner: str
    description: str = ""
    image: str
    map_index: int = -1
    task: Task
    columns: dict[str, Columns] = Field(default={})
    expect: Expect = Field(default={})
    result: StageResult | None = None
    problem: str = ""


_FACT: TypeAdapter[Fact | RunFact] = TypeAdapter(Fact | RunFact)


def leave(fact: Fact | RunFact, outbox: Path) -> None:
    """Leave it for the notifier.

    Raises:
        OSError: it could not be written.
    """
    folder = outbox / WAITING
    folder.mkdir(parents=True, exist_ok=True)
    _outbox.leave(fact, folder)


def read_fact(text: bytes) -> Fact | RunFact:
    """Read what was left.

    Raises:
        ValidationError: it is no fact.
    """
    return _FACT.validate_json(text)
