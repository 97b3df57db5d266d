"""Checks pipeline files as far as that goes without a run: their fields, their SQL, their twins, their connections.

config/pipelines/*.yaml ──read_pipelines──► fields ──_queries──► SQL of databases ──► connections of the secrets
                                                     └── the transform image: twins imported, SQL of DuckDB parsed
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from docker import APIClient

from etl_contract import Fault, StageName, exports_of
from etl_platform._interval import last_complete
from etl_platform._once import ALONE, Program, answers, container, lines
from etl_platform._pipeline import Broken, Pipeline
from etl_platform._problems import Path, Problem, guess
from etl_platform._queries import query_problems
from etl_platform._settings import Settings
from etl_platform._stages import image
from etl_platform._tasks import only_named, transform_task
from etl_platform._yaml import text_lines

_PLACE = re.compile(
    r"config/pipelines/(?P<file>[\w.-]+)(?:, line (?P<line>\d+))?(?:, (?P<field>[^:]*))?: (?P<message>.*)"
)

Read = Pipeline | Broken


def check(read: Iterable[Read], client: APIClient | None, settings: Settings) -> list[Read]:
    """Add what is wrong beside the fields, all of a file at once; without an Engine, what the texts alone tell."""
    items = list(read)
    pipelines = [item for item in items if isinstance(item, Pipeline)]
    connections = _connections_there(client, settings) if client else None
    found = {each.name: [*query_problems(each), *_connection_problems(each, connections)] for each in pipelines}
    if client is not None:
        for pipeline, fault in _faults([each for each in pipelines if each.transform is not None], client, settings):
            found[pipeline.name] += _problems(pipeline, fault)
    return [item if isinstance(item, Broken) else _with(item, found[item.name]) for item in items]


def _connections_there(client: APIClient, settings: Settings) -> list[str] | None:
    """List the connections of this installation, None where it was never started to its end: some are its own."""
    volume = f"{settings.project}_secrets"
    if volume not in {each["Name"] for each in client.volumes()["Volumes"] or ()}:
        return None
    host = {**ALONE, "binds": {volume: {"bind": "/secrets", "mode": "ro"}}, "cap_add": ["DAC_READ_SEARCH"]}
    command = ["find", "/secrets/connections", "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-printf", r"%f\n"]
    program = Program(f"etl-platform/secrets:{settings.tag}", command=command, user="0:0")
    with container(client, program, host) as listing:
        return sorted(lines(client, listing, stderr=False)) or None


def _with(item: Pipeline, problems: Iterable[Problem]) -> Read:
    told = tuple(sorted(set(problems)))
    return Broken(item.name, f"config/pipelines/{item.name}.yaml", item.text, told) if told else item


def _connection_problems(pipeline: Pipeline, known: Iterable[str] | None) -> Iterator[Problem]:
    if known is None:
        return
    there, where = sorted(known), text_lines(pipeline.text)
    named: list[tuple[Path, str]] = [
        (("extract", name), connection)
        for name, source in pipeline.extract.items()
        for connection in source.connections
    ]
    named += [
        (("export", name), target.connection) for name, target in exports_of(pipeline.export) if target.connection
    ]
    for path, connection in named:
        if connection not in there:
            line = _line(where, path)
            message = (
                f"there is no connection '{connection}'{guess(connection, there) or f'; there are: {", ".join(there)}'}"
            )
            yield Problem(line, path, message)


def _line(where: dict[str, int], path: Path) -> int:
    """Give the line of the first text of a section."""
    prefix = ".".join(map(str, path))
    return min((line for place, line in where.items() if place.startswith(f"{prefix}.")), default=1)


def _faults(pipelines: Iterable[Pipeline], client: APIClient, settings: Settings) -> Iterator[tuple[Pipeline, Fault]]:
    """Let the transform image read the steps of pipelines."""
    by_name = {pipeline.name: pipeline for pipeline in pipelines}
    told = {}
    for name, pipeline in by_name.items():
        interval = last_complete(pipeline, datetime.now(UTC))
        common = {"interval": interval, "run_id": "check", "run_uri": "file:///tmp", "params": pipeline.params}
        task = transform_task(pipeline, only_named(pipeline, "file:///tmp"), pipeline=name, **common)
        told[name] = {"ETL_TASK": task.model_dump_json()}
    program = Program(image(StageName.transform, settings), command=["python", "-m", "etl_transform.check"])
    for name, result in answers(client, program, told):
        if result.fault is not None:
            yield by_name[name], result.fault


def _problems(pipeline: Pipeline, fault: Fault) -> Iterator[Problem]:
    """Tell a fault as problems of the file, and what is wrong in a twin at the step that names it."""
    where = text_lines(pipeline.text)
    for text in fault.problem.splitlines():
        place = _PLACE.match(text)
        if place is None:
            yield Problem(_line(where, ("transform",)), ("transform",), text)
        elif place["file"] == f"{pipeline.name}.yaml":
            path = tuple(place["field"].split(".")) if place["field"] else ("transform",)
            yield Problem(int(place["line"]), path, place["message"])
        else:
            line = f", line {place['line']}" if place["line"] else ""
            yield Problem(_line(where, ("transform",)), ("transform",), f"{place['file']}{line}: {place['message']}")
