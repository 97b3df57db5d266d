"""Writes the files of a run: under temporary names before the load, under their own after it.

    Dataset ── _export_formats, _export_text ──► .orders.csv.RUN.part ── the load commits ──► orders.csv, its manifest

So a load that fails publishes nothing, and a file that cannot be written fails the run before anything is loaded.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pyarrow as pa
import structlog

from etl_contract import DataError, Dataset, Export, ExportTarget, LoadTask, SpecError, StageError, refuse
from etl_contract.parquet import reading
from etl_load._export_file import ExportFile, Places, open_file
from etl_load._export_formats import problem_of, write

PLACES = Places()

log = structlog.get_logger()


class Prepared(NamedTuple):
    """A file that is written, and not yet seen."""

    file: ExportFile
    export: Export
    schema: pa.Schema


def prepare(task: LoadTask, files: ExitStack, places: Places = PLACES) -> list[Prepared]:
    """Write every file under a temporary name, which goes with `files` unless it is published.

    Raises:
        SpecError: a dataset is not there, two go into one file, or the store refuses us.
        DataError: rows that the format cannot hold.
        Unavailable: the place cannot be written.
    """
    refuse(list(_spec_problems(task, places)))
    datasets = {dataset.name: dataset for dataset in task.inputs}
    return [_prepare(task, datasets[name], target, files, places) for name, target in task.export]


def publish(task: LoadTask, prepared: Sequence[Prepared]) -> tuple[Export, ...]:
    """Give each file its name, and put a manifest beside it."""
    for file, export, schema in prepared:
        file.publish(json.dumps(_manifest(task, export, schema), indent=2, ensure_ascii=False).encode() + b"\n")
        log.info("exported %s", export.dataset, uri=export.uri, rows=export.rows, bytes=export.bytes)
    return tuple(export for _, export, _ in prepared)


def _prepare(task: LoadTask, dataset: Dataset, target: ExportTarget, files: ExitStack, places: Places) -> Prepared:
    where = f"export.{dataset.name}"
    interval = task.interval
    uri = target.uri(interval.local_start, interval.local_end, places.volume)
    with reading(dataset) as parquet:
        if problem := problem_of(target, parquet):
            raise DataError(problem, where=where, hint="Choose csv or parquet, or export less.")
        file = files.enter_context(open_file(uri, where, task.run_id, target, places.connections))
        try:
            write(target, parquet, file, interval.timezone, where)
        except OverflowError as error:
            hint = "Correct it in the transform, or choose parquet."
            raise DataError(str(error), where=where, hint=hint) from error
        schema = parquet.schema_arrow
    export = Export(
        dataset=dataset.name,
        uri=uri,
        format=target.format,
        rows=dataset.rows,
        bytes=file.size,
        sha256=file.sha256,
    )
    return Prepared(file, export, schema)


def _spec_problems(task: LoadTask, places: Places) -> Iterator[StageError]:
    there = [dataset.name for dataset in task.inputs]
    taken: dict[str, str] = {}
    for name, target in task.export:
        where = f"export.{name}"
        if name not in there:
            close = difflib.get_close_matches(name, there, n=1)
            meant = f"Did you mean '{close[0]}'? " if close else ""
            hint = f"{meant}The transform gives: {', '.join(sorted(there)) or 'nothing'}."
            yield SpecError(f"there is no dataset '{name}'", where=where, hint=hint)
        uri = target.uri(task.interval.local_start, task.interval.local_end, places.volume)
        if uri in taken:
            hint = f"Give each its own name; export.{taken[uri]} goes there already."
            yield SpecError(f"two datasets go into {uri}", where=f"{where}.to", hint=hint)
        taken.setdefault(uri, name)


def _manifest(task: LoadTask, export: Export, schema: pa.Schema) -> dict[str, object]:
    return {
        "file": export.uri.rpartition("/")[2],
        "format": str(export.format),
        "rows": export.rows,
        "bytes": export.bytes,
        "sha256": export.sha256,
        "columns": [{"name": field.name, "type": str(field.type)} for field in schema],
        "dataset": export.dataset,
        "interval": task.interval.model_dump(mode="json"),
        "pipeline": task.pipeline,
        "run_id": task.run_id,
    }
