"""Models what a stage reports when it ends."""

from enum import StrEnum
from typing import Self

from etl_contract._dataset import Dataset
from etl_contract._errors import StageError
from etl_contract._expect import Check
from etl_contract._exports import Export
from etl_contract._model import Model
from etl_contract._state import TakenFile, Watermark


class Outcome(StrEnum):
    """What should happen next."""

    done = "done"
    skipped = "skipped"
    retry = "retry"
    failed = "failed"


class Fault(Model):
    """Why a stage did not do its work, in the three parts that a person needs."""

    kind: str
    problem: str
    where: str = ""
    hint: str = ""

    @classmethod
    def of(cls, error: StageError) -> Self:
        """Take the parts of an error."""
        return cls(kind=type(error).__name__, problem=error.problem, where=error.where, hint=error.hint)

    def __str__(self) -> str:
        """Print a part a line."""
        lines = [f"{self.kind}: {self.problem}"]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  next:  {self.hint}"] if self.hint else []
        return "\n".join(lines)


class Load(Model):
    """A line of the ledger `etl.loads`: what one dataset did to one table."""

    load_id: str
    dataset: str
    table: str
    mode: str
    rows_staged: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    rows_quarantined: int = 0


class StageResult(Model):
    """The end of a stage: its outcome, references to what it made, and what it cost.

    Seconds are wall and processor time of the stage's process, `peak_memory` its largest resident size in bytes.
    `bytes_in` are those of the files that it read and those that came over its network.
    `quarantined` are the rows that left the dataset of the same name, with the reasons.
    """

    outcome: Outcome
    fault: Fault | None = None
    datasets: tuple[Dataset, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    files: tuple[TakenFile, ...] = ()
    loads: tuple[Load, ...] = ()
    exports: tuple[Export, ...] = ()
    checks: tuple[Check, ...] = ()
    quarantined: tuple[Dataset, ...] = ()
    report_uri: str | None = None
    rows_in: int = 0
    rows_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
