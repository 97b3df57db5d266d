"""Says in words what a pipeline reads, makes and writes, and what starts it: for its page in Airflow."""

from collections.abc import Mapping
from typing import NamedTuple

from cron_descriptor import get_description

from etl_contract import (
    ExportTarget,
    FilesSource,
    HttpSource,
    LoadTarget,
    PandasTransform,
    Source,
    SqlSource,
    SqlTransform,
    exports_of,
    steps_of,
)
from etl_platform._pipeline import Changed, Pipeline
from etl_platform._twins import outputs_of


class Place(NamedTuple):
    """Something that rows come from or go to.

    Args:
        name: how it is called.
        about: what it is, or how rows get there.
        dataset: the source or dataset of the pipeline that it belongs to.
        table: the table of the warehouse that it is, if it is one.
    """

    name: str
    about: str
    dataset: str
    table: str | None = None


class Flow(NamedTuple):
    """A pipeline's data flow.

    Args:
        starts: what starts it.
        reads: where its rows are from.
        steps: what is done to them; nothing where they are loaded as they are.
        checks: the datasets that are checked.
        writes: where they go.
        report: the report's title, if there is one.
    """

    starts: str
    reads: tuple[Place, ...]
    steps: tuple[str, ...]
    checks: tuple[str, ...]
    writes: tuple[Place, ...]
    report: str | None


def flow_of(pipeline: Pipeline) -> Flow:
    """Describe a pipeline's data flow."""
    tables = [_table(dataset, target) for dataset, target in pipeline.load.items()]
    files = [_file(dataset, target) for dataset, target in exports_of(pipeline.export)]
    return Flow(
        starts=_starts(pipeline),
        reads=tuple(_source(name, source) for name, source in pipeline.extract.items()),
        steps=tuple(_step(step, pipeline.files) for step in steps_of(pipeline.transform)),
        checks=tuple(pipeline.expect or ()),
        writes=(*tables, *files),
        report=pipeline.visualize.title if pipeline.visualize else None,
    )


def _starts(pipeline: Pipeline) -> str:
    match pipeline.schedule:
        case str(cron):
            return f"{get_description(cron)}, in {pipeline.timezone}"
        case Changed(any_changed=tables) if tables:
            return f"when any of these has changed: {', '.join(tables)}"
        case Changed(changed=tables) if len(tables) == 1:
            return f"when {tables[0]} has changed"
        case Changed(changed=tables):
            return f"when all of these have changed: {', '.join(tables)}"
    return "by hand only"


def _source(name: str, source: Source) -> Place:
    match source:
        case SqlSource():
            what = f"table {source.table} of {source.sql}" if source.table else f"a query on {source.sql}"
            follows = f", what is new by {source.cursor}" if source.cursor else ""
            return Place(name, f"{what}{follows}", name, source.table if source.sql == "warehouse" else None)
        case HttpSource():
            return Place(name, source.http, name)
        case FilesSource():
            return Place(name, f"{'' if source.remote else 'inbox/'}{source.files}, each file once", name)


def _step(step: PandasTransform | SqlTransform, files: Mapping[str, str]) -> str:
    if isinstance(step, PandasTransform):
        return f"pandas: {step.pandas}"
    made = step.sql if isinstance(step.sql, dict) else outputs_of(files.get(step.sql, step.sql))
    return f"SQL: {', '.join(made)}"


def _table(dataset: str, target: LoadTarget) -> Place:
    by = target.partition or ", ".join(target.key)
    return Place(target.table, f"{target.mode}{f' by {by}' if by else ''}", dataset, target.table)


def _file(dataset: str, target: ExportTarget) -> Place:
    return Place(target.to, f"{target.format} file", dataset)
