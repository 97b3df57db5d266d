"""Models what a stage reports when it ends."""

from enum import StrEnum
from typing import Self

from pydantic import Field

from etl_contract._dataset import Dataset
from etl_contract._errors import StageError
from etl_contract._expect import Check
from etl_contract._exports import Export
from etl_contract._model import Model
from etl_contract._state import TakenFile, Watermark
from etl_contract._usage import Costs

# In their order, which a mapping loses in Airflow's database.
Columns = tuple[tuple[str, str], ...]


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


class StageResult(Costs):
    """The end of a stage: its outcome, references to what it made, and what it cost.

    `quarantined` are the rows that left the dataset of the same name, with the reasons. `columns` are the names and
    types of each dataset that it made, as Arrow has them, and of each table that it loaded, as PostgreSQL has them; no
    task is told of them, since it has to fit into one environment variable.
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
    columns: dict[str, Columns] = Field(default={})
    report_uri: str | None = None
