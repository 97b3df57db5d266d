"""Models a pipeline as its author wrote it, and reads it with every problem at once."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path as FilePath
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, Tag, ValidationError, field_validator, model_validator

from etl_contract import (
    Chart,
    ColumnRules,
    Expect,
    Expectation,
    Exports,
    ExportTarget,
    Extract,
    Figure,
    FilesSource,
    Freshness,
    HttpSource,
    LoadMode,
    LoadTarget,
    Name,
    Paging,
    PandasTransform,
    Parameter,
    ReportTable,
    RowRule,
    SqlSource,
    SqlTransform,
    StageName,
    TableName,
    TableRules,
    TakenFile,
    Transform,
    Visualize,
    by_shape,
    exports_of,
    merge_order,
    steps_of,
)
from etl_platform._alerts import Alerts
from etl_platform._problems import Problem, guess, problems_of, report
from etl_platform._twins import outputs_of, read_twins
from etl_platform._yaml import NotYaml, read_yaml

ALIASES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
NOT_AUTHORED = {"name", "files", "text"}  # fields of a Pipeline that its file does not have
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StageLimits(_Model):
    """What a stage's container may use."""

    memory: str = Field(default="512m", description="The most memory, such as `512m` or `2g`; swap is never used.")
    cpus: Annotated[float, Field(gt=0, le=64)] = Field(default=1.0, description="The most processor cores.")
    minutes: Annotated[int, Field(ge=1, le=24 * 60)] = Field(
        default=60, description="How long a try may take before it is stopped."
    )

    @field_validator("memory")
    @classmethod
    def _a_size(cls, memory: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,6}[kmg]", memory):
            raise ValueError(f"'{memory}' is no size; write one such as 512m or 2g")
        return memory

    @property
    def memory_bytes(self) -> int:
        """Give the memory limit in bytes."""
        return int(self.memory[:-1]) * _UNITS[self.memory[-1]]


class Limits(_Model):
    """The limits of each stage."""

    extract: StageLimits = Field(default=StageLimits(), description="What extract may use.")
    transform: StageLimits = Field(default=StageLimits(memory="1g"), description="What transform may use.")
    load: StageLimits = Field(default=StageLimits(), description="What load may use.")
    visualize: StageLimits = Field(default=StageLimits(memory="1g"), description="What visualize may use.")

    @model_validator(mode="before")
    @classmethod
    def _keep_what_is_left_out(cls, stages: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        """Let a stage of which only one limit is given keep its own defaults for the others."""
        if not isinstance(stages, dict):
            return stages
        own = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: own[name] | given if name in own and isinstance(given, dict) else given
            for name, given in stages.items()
        }

    def of(self, stage: StageName) -> StageLimits:
        """Give a stage's limits."""
        limits: StageLimits = getattr(self, stage.value)
        return limits


class Changed(_Model):
    """A schedule of changes: a run when tables have changed since the last one, all of them or any."""

    changed: Annotated[tuple[TableName, ...], Field(min_length=1)] = Field(
        default=(), description="Tables that pipelines load; a run starts when each has been loaded since the last one."
    )
    any_changed: Annotated[tuple[TableName, ...], Field(min_length=1)] = Field(
        default=(), description="The same, but a run starts as soon as one of them has been loaded."
    )

    @field_validator("changed", "any_changed")
    @classmethod
    def _qualified(cls, tables: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(table if "." in table else f"mart.{table}" for table in tables)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.changed) == bool(self.any_changed):
            raise ValueError("give either 'changed' or 'any_changed', not both and not neither")
        return self


Schedule = Annotated[
    Annotated[Changed, Tag("[mapping]")] | Annotated[str, Tag("[other]")], by_shape(mapping=(dict, Changed))
]


class Pipeline(_Model):
    """A pipeline file that has no problem, with the text of its twin."""

    name: Name = Field(description="The file's name; not a field of the file.")
    description: str = Field(default="", description="One sentence on what the pipeline is for.")
    owner: str = Field(default="data-team", description="Who answers for it.")
    tags: tuple[str, ...] = Field(default=(), description="Words to find it by in the web UI.")
    schedule: Schedule | None = Field(
        default=None,
        description="A cron expression, or `@daily` and the like; a run's interval lies between two of its times. Or "
        "`changed: [mart.flights]` or `any_changed`, to run when tables have changed. Without it, only by hand.",
    )
    timezone: str = Field(default="UTC", description="The time zone of the schedule and of every day.")
    start: date = Field(
        default=date(2013, 1, 1), description="The first day that a scheduled run or a backfill may be about."
    )
    paused: bool = Field(
        default=False,
        description="Whether the schedule waits until somebody switches it on, or for the first `make run`.",
    )
    retries: Annotated[int, Field(ge=0, le=20)] = Field(
        default=3, description="How often a stage is tried again, with backoff, when something was unavailable."
    )
    params: dict[Name, Parameter] = Field(
        default={}, description="Values that a run may change, by name; they stand in the trigger form."
    )
    extract: Extract = Field(description="The sources, by name.")
    transform: Transform | None = Field(default=None, description="What makes of the sources what is loaded.")
    expect: Annotated[Expect, Field(min_length=1)] | None = Field(
        default=None, description="What the datasets are expected to be before they are loaded, by name."
    )
    load: Annotated[dict[Name, LoadTarget], Field(min_length=1)] = Field(
        default={}, description="The tables, by the name of the dataset that goes into each."
    )
    export: Exports = Field(default={}, description="The files, by the name of the dataset that goes into each.")
    visualize: Visualize | None = Field(default=None, description="The report of each run.")
    limits: Limits = Field(default=Limits(), description="What each stage may use.")
    alerts: Alerts | None = Field(
        default=None, description="Who is told when a run fails or is late, and of what else."
    )
    files: dict[str, str] = Field(default_factory=dict, description="The twin's text by its name; not a field.")
    text: str = Field(default="", description="The text of the file; not a field of the file.")

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"there is no time zone '{timezone}'; write one such as America/New_York") from None
        return timezone

    @field_validator("schedule")
    @classmethod
    def _real_schedule(cls, schedule: Schedule | None) -> Schedule | None:
        from croniter import croniter  # noqa: PLC0415 - only the platform's side has it

        if not isinstance(schedule, str):
            return schedule
        cron = ALIASES.get(schedule, schedule)
        if len(cron.split()) != 5 or not croniter.is_valid(cron):  # noqa: PLR2004 - minute to weekday
            raise ValueError(f"'{schedule}' is no cron expression; write one such as '0 6 * * *', or @daily")
        return cron

    @field_validator("params")
    @classmethod
    def _names_of_their_own(cls, params: dict[str, Parameter]) -> dict[str, Parameter]:
        if taken := sorted(Parameter.reserved & params.keys()):
            raise ValueError(f"'{taken[0]}' has a meaning already; rename the parameter")
        return params

    @model_validator(mode="after")
    def _loads_what_is_there(self) -> Self:
        if not self.load and not self.export:
            raise ValueError("load: required, but not there; write it, or 'export', or both")
        made = self._made
        for section, names in (("expect", self.expect or {}), ("load", self.load), ("export", self.export)):
            if self.transform is None and (unknown := sorted(set(names) - set(self.extract))):
                raise ValueError(f"{section}: '{unknown[0]}' is no source{guess(unknown[0], self.extract)}")
            if made and (unknown := sorted(set(names) - made)):
                raise ValueError(f"{section}: '{unknown[0]}' is made by no query{guess(unknown[0], made)}")
        if twice := _twice(target.to for _, target in exports_of(self.export)):
            raise ValueError(f"export: two datasets go to '{twice[0]}'; the second would undo the first")
        merge_order(self.load, self.expect or {})
        if problem := next(chain(self._beside_cursors(), self._aside_too_late()), None):
            raise ValueError(problem)
        tables = [target.table for target in self.load.values()]
        if twice := _twice(tables):
            raise ValueError(f"load: two datasets go into {twice[0]}; the second would undo the first")
        if own := sorted(set(self.changed) & set(tables)):
            raise ValueError(
                f"schedule: the pipeline changes {own[0]} itself, so it would start itself again and again"
            )
        return self

    def _beside_cursors(self) -> Iterator[str]:
        """Tell of targets that would take the rows since the last run for all there are."""
        cursors = self.cursors
        again = any(source.lookback is not None for source in cursors.values())
        for name, target in self.load.items():
            if not cursors or name in self.extract.keys() - cursors:
                continue
            if target.mode in {"replace", "partition"}:
                yield f"load.{name}: mode: {target.mode} would keep only what a cursor brings; use upsert or history"
            if target.delete == "missing":
                yield f"load.{name}: delete: missing would delete what a cursor does not bring again; name a column"
            if target.mode == "append" and again:
                yield f"load.{name}: mode: append would add again what a lookback reads again; use upsert or history"

    def _aside_too_late(self) -> Iterator[str]:
        """Tell of rows that only load can set aside, but that have left by another way, or never come there."""
        for name, expectation in (self.expect or {}).items():
            if not expectation.tables_before:
                continue
            if name not in self.load:
                yield f"expect.{name}: references set aside what is loaded, which these are not; let them fail or warn"
            if name in self.export:
                yield f"expect.{name}: references set rows aside after files were written; let them fail or warn"

    @property
    def cursors(self) -> dict[str, SqlSource]:
        """Give the sources that follow a cursor, by name."""
        return {
            name: source for name, source in self.extract.items() if isinstance(source, SqlSource) and source.cursor
        }

    @property
    def once(self) -> frozenset[str]:
        """Name the sources that remember what they have given: those with a cursor, and those of files."""
        files = {name for name, source in self.extract.items() if isinstance(source, FilesSource)}
        return frozenset(files | self.cursors.keys())

    @property
    def again(self) -> tuple[str, ...]:
        """Name the datasets that are a source's own, which gives the same rows when an interval is read again."""
        return () if self.transform else tuple(sorted(self.extract.keys() - self.once))

    @property
    def mixed(self) -> bool:
        """Tell whether a transform makes datasets of rows of the interval and of rows that come once."""
        of_interval = any(self.extract[name].reads_interval for name in self.extract.keys() - self.once)
        return bool(self.transform and self.once and of_interval)

    def idle(self, taken: Iterable[TakenFile]) -> tuple[str, ...]:
        """Name the datasets that are a source's own, which has taken no file in a run."""
        active = {file.source for file in taken}
        files = self.once - self.cursors.keys() - active
        return () if self.transform else tuple(sorted(files))

    @property
    def cron(self) -> str | None:
        """Give the cron expression, where a clock starts the runs."""
        return self.schedule if isinstance(self.schedule, str) else None

    @property
    def of_days(self) -> bool:
        """Tell whether its runs are about whole days, as those of a clock that strikes at midnight are."""
        return self.cron is None or self.cron.split()[:2] == ["0", "0"]

    @property
    def one_after_the_other(self) -> bool:
        """Tell whether a run begins where the one before ended, as history does, and sources that remember."""
        return bool(self.once) or any(target.mode is LoadMode.history for target in self.load.values())

    @property
    def changed(self) -> tuple[str, ...]:
        """Name the tables whose change starts the runs."""
        return self.schedule.changed or self.schedule.any_changed if isinstance(self.schedule, Changed) else ()

    @property
    def _made(self) -> set[str]:
        """Name what the transform makes; nothing where a function decides that, or a file is not there."""
        made: set[str] = set()
        for step in steps_of(self.transform):
            if isinstance(step, PandasTransform) or (step.file and step.file not in self.files):
                return set()
            made |= set(step.sql if isinstance(step.sql, dict) else outputs_of(self.files.get(step.sql, step.sql)))
        return made

    @property
    def stages(self) -> tuple[StageName, ...]:
        """Give the stages that this pipeline has, in order."""
        optional = {StageName.transform: self.transform or self.expect, StageName.visualize: self.visualize}
        return tuple(stage for stage in StageName if optional.get(stage, self) is not None)


def _twice(words: Iterable[str]) -> list[str]:
    """Give the words that stand there more than once."""
    return sorted(word for word, count in Counter(words).items() if count > 1)


class Broken(NamedTuple):
    """A pipeline file with problems."""

    name: str
    file: str
    text: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        """Print every problem."""
        return report(self.file, self.problems)


_AUTHORED = [name for name in Pipeline.model_fields if name not in NOT_AUTHORED]
_FIELDS = [
    *_AUTHORED,
    *(
        field.alias or name
        for model in (
            SqlSource,
            HttpSource,
            Paging,
            FilesSource,
            PandasTransform,
            SqlTransform,
            Parameter,
            Expectation,
            ColumnRules,
            RowRule,
            TableRules,
            Freshness,
            LoadTarget,
            Changed,
            ExportTarget,
            Visualize,
            Figure,
            Chart,
            ReportTable,
            Limits,
            StageLimits,
            Alerts,
        )
        for name, field in model.model_fields.items()
    ),
]


def read_pipelines(folder: FilePath, only: str | None = None) -> Iterator[Pipeline | Broken]:
    """Read every pipeline of a folder, or only one, in the order of their names."""
    for file in sorted(folder.glob("*.yaml")):
        if only in (None, file.stem):
            yield read_pipeline(file)


def read_pipeline(file: FilePath) -> Pipeline | Broken:
    """Read one pipeline file and its twin."""
    shown = f"config/pipelines/{file.name}"
    try:
        text = file.read_text(encoding="utf-8-sig")
        values, lines, problems = read_yaml(text)
    except UnicodeDecodeError as error:
        problem = Problem(1, (), f"byte {error.start} is no UTF-8; save the file as UTF-8")
        return Broken(file.stem, shown, "", (problem,))
    except NotYaml as error:
        return Broken(file.stem, shown, text, (error.problem,))
    for reserved in NOT_AUTHORED & values.keys():
        del values[reserved]
        problems.append(Problem(lines[(reserved,)], (reserved,), f"no such field{guess(reserved, _AUTHORED)}"))
    files, missing = read_twins(file.parent, values, lines)
    problems += missing
    try:
        pipeline = Pipeline.model_validate({**values, "name": file.stem, "files": files, "text": text})
    except ValidationError as error:
        told = {problem.path for problem in problems}
        problems += [problem for problem in problems_of(error, lines, _FIELDS) if problem.path not in told]
    if problems:
        return Broken(file.stem, shown, text, tuple(sorted(set(problems))))
    return pipeline
