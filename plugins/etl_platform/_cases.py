"""Finds an author's cases, and runs them in the transform image: config/pipelines/tests/PIPELINE/CASE/.

given/SOURCE.csv ──► the pipeline's transform and expect ──► expected/DATASET.csv, quarantined/DATASET.csv
case.yaml says, where that matters, which day it is, parameters, and types
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from docker import APIClient
from pydantic import Field, ValidationError, field_validator

from etl_contract import (
    DocumentSource,
    Fault,
    Name,
    StageError,
    StageName,
    TransformTask,
    declared,
)
from etl_contract._columns import ColumnType
from etl_contract._model import Model
from etl_platform._interval import local_day
from etl_platform._once import ALONE, Program, answers
from etl_platform._pipeline import Pipeline
from etl_platform._problems import problems_of
from etl_platform._settings import Settings
from etl_platform._stages import image
from etl_platform._tasks import only_named, transform_task
from etl_platform._yaml import NotYaml, read_yaml

_DUCKDB = {"text": "varchar", "double": "double"}


class CaseFile(Model):
    """What a case's `case.yaml` may say."""

    day: date = Field(
        default=date(2026, 1, 1), description="The day that the run is about, in the pipeline's time zone."
    )
    params: dict[Name, Any] = Field(default={}, description="Values of the pipeline's parameters, by name.")
    types: dict[Name, dict[str, ColumnType]] = Field(
        default={}, description="The types of given columns, by source and column, where the values do not show them."
    )
    fails: str = Field(default="", description="A part of what the transform says when it refuses the given rows.")

    @field_validator("types")
    @classmethod
    def _possible(cls, types: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for columns in types.values():
            for written in columns.values():
                declared(written)
        return types


class Tried(NamedTuple):
    """A case that was run: its pipeline, its name, and what was wrong."""

    pipeline: str
    case: str
    problems: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Name its folder, as people see it."""
        return f"config/pipelines/tests/{self.pipeline}/{self.case}"

    def __str__(self) -> str:
        """Print it in a line, and what was wrong in further ones."""
        if not self.problems:
            return f"passed  {self.folder}"
        return "\n".join([f"FAILED  {self.folder}", *(f"    {problem}" for problem in self.problems)])


def cases_of(pipeline: Pipeline, folder: Path) -> list[Path]:
    """List the folders of a pipeline's cases."""
    return sorted(path for path in (folder / "tests" / pipeline.name).glob("*") if path.is_dir())


def try_cases(pipeline: Pipeline, folder: Path, client: APIClient, settings: Settings) -> Iterator[Tried]:
    """Run a pipeline's cases, one after the other; give each as it ends."""
    told: dict[str, dict[str, str]] = {}
    for number, path in enumerate(cases_of(pipeline, folder)):
        task = _task(pipeline, path, number)
        if isinstance(task, Tried):
            yield task
        else:
            told[path.name] = {"ETL_TASK": task[0].model_dump_json(), "ETL_CASE": task[1]}
    host = {**ALONE, "binds": {str(folder / "tests" / pipeline.name): {"bind": "/cases", "mode": "ro"}}}
    host["mem_limit"] = host["memswap_limit"] = pipeline.limits.transform.memory_bytes
    # As who called, who may read the files.
    user = f"{os.getuid()}:{os.getgid()}"
    program = Program(image(StageName.transform, settings), command=["python", "-m", "etl_transform.cases"], user=user)
    for name, result in answers(client, program, told, host):
        yield Tried(pipeline.name, name, _told(result.fault))


def _told(fault: Fault | None) -> tuple[str, ...]:
    if fault is None:
        return ()
    first, *rest = fault.problem.splitlines()
    hint = fault.hint.splitlines() if fault.hint else []
    return (f"{fault.where}: {first}" if fault.where else first, *rest, *hint)


def _task(pipeline: Pipeline, path: Path, number: int) -> tuple[TransformTask, str] | Tried:
    """Say what the image is told of a case, or what is wrong with it."""
    try:
        case = _case_file(path)
        interval = local_day(case.day, pipeline.timezone)
        params = {
            name: each.with_value(case.params[name]) if name in case.params else each
            for name, each in pipeline.params.items()
        }
    except (StageError, ValueError) as error:
        return Tried(pipeline.name, path.name, tuple(str(error).splitlines()))
    if unknown := sorted(case.params.keys() - pipeline.params.keys()):
        return Tried(pipeline.name, path.name, (f"case.yaml: the pipeline has no parameter '{unknown[0]}'",))
    if not case.fails and not [*path.glob("expected/*.csv"), *path.glob("quarantined/*.csv")]:
        message = "nothing is expected; write expected/DATASET.csv with the rows that should come out"
        return Tried(pipeline.name, path.name, (message,))
    run_uri = f"file:///tmp/case-{number}"
    common = {"interval": interval, "run_id": f"test__{path.name}", "params": params}
    common |= {"pipeline": pipeline.name, "run_uri": run_uri}
    return transform_task(pipeline, only_named(pipeline, run_uri), **common), _case(pipeline, case, path)


def _case(pipeline: Pipeline, case: CaseFile, path: Path) -> str:
    """Tell where the case's files are, and the types of given columns: as the source declares them, then the case."""
    documents = {name: source for name, source in pipeline.extract.items() if isinstance(source, DocumentSource)}
    types: dict[str, dict[str, str]] = {name: _duckdb(source.columns) for name, source in documents.items()}
    for name, columns in case.types.items():
        types[name] = types.get(name, {}) | _duckdb(columns)
    told = {"folder": f"/cases/{path.name}", "types": types, "exact": list(documents), "fails": case.fails}
    return json.dumps(told)


def _duckdb(columns: Mapping[str, str]) -> dict[str, str]:
    """Give the types in DuckDB's words; a date of a given file is written in ISO."""
    parts = {column: declared(written) for column, written in columns.items()}
    return {
        column: f"decimal({part.precision},{part.scale})"
        if part.name == "decimal"
        else _DUCKDB.get(part.name, part.name)
        for column, part in parts.items()
    }


def _case_file(path: Path) -> CaseFile:
    file = path / "case.yaml"
    if not file.exists() or not re.sub(r"#.*", "", text := file.read_text(encoding="utf-8-sig")).strip():
        return CaseFile()
    try:
        values, where, problems = read_yaml(text)
    except NotYaml as error:
        raise StageError(str(error.problem), where="case.yaml") from None
    try:
        case = CaseFile.model_validate(values)
    except ValidationError as error:
        problems += problems_of(error, where, CaseFile.model_fields)
    if problems:
        raise StageError("\n".join(f"case.yaml, {problem}" for problem in sorted(problems)))
    return case
