"""Models a pipeline as its author wrote it, and reads it with every problem at once."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from etl_contract import (
    Chart,
    ColumnRules,
    Expect,
    Expectation,
    Extract,
    Freshness,
    LoadTarget,
    Name,
    PandasTransform,
    RowRule,
    SqlSource,
    StageName,
    TableRules,
    Transform,
    Visualize,
)
from etl_platform._problems import Path, Problem, guess, problems_of, report
from etl_platform._yaml import NotYaml, read_yaml

# A task travels in one environment variable (docs/decisions/the-dag-carries-the-code.md), and Linux takes no longer one
# than 128 KiB.
MOST_TWIN_BYTES = 96 * 1024
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


class Pipeline(_Model):
    """A pipeline file that has no problem, with the text of its twin."""

    name: Name = Field(description="The file's name; not a field of the file.")
    description: str = Field(default="", description="One sentence on what the pipeline is for.")
    owner: str = Field(default="data-team", description="Who answers for it.")
    tags: tuple[str, ...] = Field(default=(), description="Words to find it by in the web UI.")
    schedule: str | None = Field(
        default=None,
        description="A cron expression, or `@daily` and the like; a run's interval lies between two of its times. "
        "Without it the pipeline runs by hand only.",
    )
    timezone: str = Field(default="UTC", description="The time zone of the schedule and of every day.")
    start: date = Field(
        default=date(2013, 1, 1), description="The first day that a scheduled run or a backfill may be about."
    )
    paused: bool = Field(default=False, description="Whether the schedule waits until somebody switches it on.")
    retries: Annotated[int, Field(ge=0, le=20)] = Field(
        default=3, description="How often a stage is tried again, with backoff, when something was unavailable."
    )
    extract: Extract = Field(description="The sources, by name.")
    transform: Transform | None = Field(default=None, description="What makes of the sources what is loaded.")
    expect: Annotated[Expect, Field(min_length=1)] | None = Field(
        default=None, description="What the datasets are expected to be before they are loaded, by name."
    )
    load: Annotated[dict[Name, LoadTarget], Field(min_length=1)] = Field(
        description="The tables, by the name of the dataset that goes into each."
    )
    visualize: Visualize | None = Field(default=None, description="The report of each run.")
    limits: Limits = Field(default=Limits(), description="What each stage may use.")
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
    def _real_schedule(cls, schedule: str | None) -> str | None:
        from croniter import croniter  # noqa: PLC0415 - only the platform's side has it

        if schedule is None:
            return None
        cron = ALIASES.get(schedule, schedule)
        if len(cron.split()) != 5 or not croniter.is_valid(cron):  # noqa: PLR2004 - minute to weekday
            raise ValueError(f"'{schedule}' is no cron expression; write one such as '0 6 * * *', or @daily")
        return cron

    @model_validator(mode="after")
    def _loads_what_is_there(self) -> Self:
        if self.transform is None and (unknown := sorted(set(self.load) - set(self.extract))):
            raise ValueError(f"load: '{unknown[0]}' is no source{guess(unknown[0], self.extract)}")
        if self.transform is None and (unknown := sorted(set(self.expect or ()) - set(self.extract))):
            raise ValueError(f"expect: '{unknown[0]}' is no source{guess(unknown[0], self.extract)}")
        tables = [target.table for target in self.load.values()]
        if twice := sorted({table for table in tables if tables.count(table) > 1}):
            raise ValueError(f"load: two datasets go into {twice[0]}; the second would undo the first")
        return self

    @property
    def stages(self) -> tuple[StageName, ...]:
        """Give the stages that this pipeline has, in order."""
        optional = {StageName.transform: self.transform or self.expect, StageName.visualize: self.visualize}
        return tuple(stage for stage in StageName if optional.get(stage, self) is not None)


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
        name
        for model in (
            SqlSource,
            PandasTransform,
            Expectation,
            ColumnRules,
            RowRule,
            TableRules,
            Freshness,
            LoadTarget,
            Visualize,
            Chart,
            Limits,
            StageLimits,
        )
        for name in model.model_fields
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
    files, missing = _twin(file.parent, values, lines)
    problems += missing
    try:
        pipeline = Pipeline.model_validate({**values, "name": file.stem, "files": files, "text": text})
    except ValidationError as error:
        told = {problem.path for problem in problems}
        problems += [problem for problem in problems_of(error, lines, _FIELDS) if problem.path not in told]
    if problems:
        return Broken(file.stem, shown, text, tuple(sorted(set(problems))))
    return pipeline


def _twin(  # noqa: PLR0911 - a list of refusals, each with its own words
    folder: FilePath, values: dict[str, Any], lines: dict[Path, int]
) -> tuple[dict[str, str], list[Problem]]:
    """Read the author's file that the transform names, and look for the function in it."""
    transform = values.get("transform")
    named = transform.get("pandas") if isinstance(transform, dict) else None
    if not isinstance(named, str) or ":" not in named:
        return {}, []  # the model says what is wrong with it
    path = ("transform", "pandas")
    line = lines.get(path, 1)
    name, _, function = named.partition(":")
    if name != FilePath(name).name:
        return {}, []
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
    except OSError:
        there = [twin.name for twin in folder.glob("*.py")]
        return {}, [Problem(line, path, f"there is no file '{name}' beside it{guess(name, there)}")]
    except UnicodeDecodeError:
        return {}, [Problem(line, path, f"'{name}' is no UTF-8; save it as UTF-8")]
    if len(text.encode()) > MOST_TWIN_BYTES:
        return {}, [Problem(line, path, f"'{name}' has more than {MOST_TWIN_BYTES // 1024} KiB; split the pipeline")]
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        return {}, [Problem(line, path, f"{name}, line {error.lineno}: {error.msg}")]
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function not in functions:
        return {}, [Problem(line, path, f"{name} has no function '{function}'{guess(function, functions)}")]
    return {name: text}, []
