"""Models what a stage is told: everything it needs, and no secret."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, model_validator

from etl_contract._dataset import Dataset
from etl_contract._errors import DataError
from etl_contract._expect import Check, Expect
from etl_contract._exports import Export, ExportTarget
from etl_contract._model import Model
from etl_contract._parameters import Parameter, Value, parameter_values
from etl_contract._report import Visualize
from etl_contract._result import Load
from etl_contract._sources import Extract
from etl_contract._state import TakenFile, Watermark
from etl_contract._targets import LoadTarget
from etl_contract._transforms import Transform
from etl_contract._usage import StageUse
from etl_contract._words import Name


class StageName(StrEnum):
    """The four stages, in the order of the data."""

    extract = "extract"
    transform = "transform"
    load = "load"
    visualize = "visualize"


class Interval(Model):
    """The half-open span of time [start, end) that a run is about."""

    start: AwareDatetime
    end: AwareDatetime
    timezone: str = "UTC"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"ends at {self.end} but starts at {self.start}")
        return self

    @property
    def local_start(self) -> datetime:
        """Give the start as a clock in the pipeline's time zone shows it."""
        return self.start.astimezone(ZoneInfo(self.timezone))

    @property
    def local_end(self) -> datetime:
        """Give the end as a clock in the pipeline's time zone shows it."""
        return self.end.astimezone(ZoneInfo(self.timezone))

    @property
    def first_day(self) -> date:
        """Give the first local day that the interval touches."""
        return self.local_start.date()

    @property
    def last_day(self) -> date:
        """Give the last local day that the interval touches."""
        return (self.local_end - timedelta(microseconds=1)).date()

    @property
    def whole_days(self) -> bool:
        """Say whether it begins and ends at midnight, by the clock of its time zone."""
        return all(clock.time() == time.min for clock in (self.local_start, self.local_end))

    @property
    def previous(self) -> Self:
        """Give the interval before, of the same length: as many days, where it consists of days."""
        if not self.whole_days:
            return self.model_copy(update={"start": self.start - (self.end - self.start), "end": self.start})
        zone = ZoneInfo(self.timezone)
        first = self.first_day - (self.last_day - self.first_day) - timedelta(days=1)
        return self.model_copy(update={"start": datetime.combine(first, time.min, zone), "end": self.start})

    def __str__(self) -> str:
        """Print a day as a day, and anything else as two instants."""
        start, end = self.local_start, self.local_end
        if self.whole_days and self.first_day == self.last_day:
            return f"{self.first_day}"
        if self.whole_days:
            return f"{self.first_day} to {self.last_day}"
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


class StageTask(Model):
    """What every stage is told of its run.

    Its files are of the run's own folder, whatever the stage before has said, or somebody has written into XCom: with
    any other URI a stage would read what its author may not.
    """

    pipeline: Name
    run_id: str
    try_number: Annotated[int, Field(ge=1)] = 1
    interval: Interval
    run_uri: str
    inputs: tuple[Dataset, ...] = ()
    params: dict[Name, Parameter] = Field(default={})

    @model_validator(mode="after")
    def _of_its_run(self) -> Self:
        for dataset in self.reads:
            if not dataset.is_below(self.run_uri):
                hint = f"A stage reads below {self.run_uri}. Clear the stage that names it, and those after it."
                raise DataError("the file is not one of this run", where=dataset.uri or dataset.name, hint=hint)
        return self

    @property
    def reads(self) -> tuple[Dataset, ...]:
        """Give all files that the stage is told of."""
        return self.inputs

    @property
    def values(self) -> dict[str, Value]:
        """Give what queries and functions are bound to by name: the interval, then the parameters."""
        interval = self.interval
        days = {"first_day": interval.first_day, "last_day": interval.last_day}
        return {"start": interval.start, "end": interval.end, **days, **parameter_values(self.params)}

    @property
    def bytes_read(self) -> int:
        """Give the size of the files that the stage is given to read."""
        return sum(dataset.bytes for dataset in self.inputs)

    @property
    def before(self) -> Self:
        """Give the task as it was for the interval before."""
        return self.model_copy(update={"interval": self.interval.previous})


class ExtractTask(StageTask):
    """What extract is told: its sources by name; in a full refresh also what it has read before is read.

    `sample` is the most rows that a database is asked for, of each table or query; documents are read whole.
    """

    stage: Literal[StageName.extract] = StageName.extract
    spec: Extract
    sample: Annotated[int, Field(ge=1)] | None = None
    full_refresh: bool = False


class TransformTask(StageTask):
    """What transform is told.

    Its steps, the texts of the author's files, where each query in the YAML begins, and what is expected of the rows.
    """

    stage: Literal[StageName.transform] = StageName.transform
    spec: Transform | None = None
    files: dict[str, str] = Field(default={})
    lines: dict[str, int] = Field(default={})
    expect: Expect = Field(default={})


class LoadTask(StageTask):
    """What load is told: the target of each dataset, its files, and what the sources are to remember with it.

    `whole` are the datasets of sources that follow no cursor, whatever the other sources do; `again` those that are a
    source's own, which gives them again when the interval is read again; `idle` those of sources of files without new
    ones. Where `mixed`, any dataset may be made of rows that come again and of rows that come once. In a full refresh
    the rows take the place of all that the tables have; in a dry run they are shown, and loaded nowhere.
    """

    stage: Literal[StageName.load] = StageName.load
    spec: dict[Name, LoadTarget]
    export: tuple[tuple[Name, ExportTarget], ...] = ()
    expect: Expect = Field(default={})
    checks: tuple[Check, ...] = ()
    quarantined: tuple[Dataset, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    files: tuple[TakenFile, ...] = ()
    whole: tuple[Name, ...] = ()
    again: tuple[Name, ...] = ()
    idle: tuple[Name, ...] = ()
    mixed: bool = False
    full_refresh: bool = False
    dry_run: bool = False

    @property
    def reads(self) -> tuple[Dataset, ...]:
        """Give also the rows that were set aside."""
        return (*self.inputs, *self.quarantined)


class VisualizeTask(StageTask):
    """What visualize is told: the report's charts, where it goes, and what the stages before did and took."""

    stage: Literal[StageName.visualize] = StageName.visualize
    spec: Visualize
    report_uri: str
    loads: tuple[Load, ...] = ()
    checks: tuple[Check, ...] = ()
    exports: tuple[Export, ...] = ()
    stages: tuple[StageUse, ...] = ()

    @property
    def bytes_read(self) -> int:
        """Give 0: it tells of the files, and reads the warehouse."""
        return 0
