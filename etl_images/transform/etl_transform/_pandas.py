"""Runs a step of pandas: the author's function over whole DataFrames, or over one of them in batches."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pandas as pd
import pyarrow as pa
import structlog

from etl_contract import Dataset, PandasTransform, SpecError, TransformTask, parameter_values
from etl_contract.parquet import reading, whole_or_nothing
from etl_transform._appended import Appended
from etl_transform._author import AuthorFunction, load_function
from etl_transform._frames import frame_of, read_frame, table_of, write_frame
from etl_transform._made import Made

log = structlog.get_logger()


def run_pandas(task: TransformTask, step: PandasTransform, datasets: Mapping[str, Dataset]) -> Made:
    """Call the function of the twin file with the datasets that it names, and keep what it returns."""
    function = load_function(step, task.files)
    read = [datasets[name] for name in datasets if name in function.arguments(datasets)]
    if step.batches is not None:
        return Made(read, _in_batches(task, step, function, {dataset.name: dataset for dataset in read}))
    frames = {dataset.name: read_frame(dataset) for dataset in read}
    log.info(f"read {', '.join(frames)}", rows=sum(map(len, frames.values())))
    started = time.monotonic()
    produced = function(frames, task.interval, parameter_values(task.params))
    log.info(f"ran {step.pandas}", seconds=round(time.monotonic() - started, 2))
    return Made(read, [write_frame(f"{task.run_uri}/transform", name, frame) for name, frame in produced.items()])


def _in_batches(
    task: TransformTask, step: PandasTransform, function: AuthorFunction, datasets: dict[str, Dataset]
) -> list[Dataset]:
    """Call the function for each batch of one dataset, and append what it returns to what it returned before."""
    cut = step.batches_of or function.first
    if cut not in datasets:
        hint = f"It takes: {', '.join(datasets) or 'no dataset'}."
        raise SpecError(f"{step.function} takes no '{cut}' to come in batches", where=function.where, hint=hint)
    whole = {name: read_frame(dataset) for name, dataset in datasets.items() if name != cut}
    made: dict[str, Appended] = {}
    with ExitStack() as unfinished:
        for number, batch in enumerate(_batches(datasets[cut], step.batches or 1), start=1):
            # A copy that shares its values: what the function does to it in one call, it does not find in the next.
            frames = {name: frame.copy(deep=False) for name, frame in whole.items()} | {cut: batch}
            produced = function(frames, task.interval, parameter_values(task.params))
            for name, frame in produced.items():
                table = table_of(name, frame)
                if name not in made:
                    appended = Appended(f"{task.run_uri}/transform", name, table.schema)
                    made[name] = unfinished.enter_context(whole_or_nothing(appended))
                made[name].add(table, number)
            log.info(f"ran {step.pandas}", batch=number, rows=len(batch))
        return [appended.finish() for appended in made.values()]


def _batches(dataset: Dataset, size: int) -> Iterator[pd.DataFrame]:
    """Give the rows in frames of that size, the last one smaller; without rows, one empty frame."""
    with reading(dataset) as parquet:
        if not dataset.rows:
            yield frame_of(parquet.read())
        waiting: list[pa.RecordBatch] = []
        for batch in parquet.iter_batches(batch_size=size):
            waiting.append(batch)  # a batch ends where the file's row group does, too
            while (there := sum(map(len, waiting))) >= size:
                table = pa.Table.from_batches(waiting)
                yield frame_of(table.slice(0, size))
                waiting = table.slice(size).to_batches() if there > size else []
        if waiting:
            yield frame_of(pa.Table.from_batches(waiting))
