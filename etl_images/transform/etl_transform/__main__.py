"""Runs the transform stage: the author's function between Parquet and Parquet."""

import time

import structlog

from etl_contract import Outcome, StageResult, TransformTask, run
from etl_transform._author import load_function
from etl_transform._frames import read_frame, write_frame

log = structlog.get_logger()


def transform(task: TransformTask) -> StageResult:
    """Call the function of the twin file with the extracted DataFrames, and keep the ones that it returns."""
    function = load_function(task.spec, task.files)
    wanted = function.arguments([dataset.name for dataset in task.inputs])
    frames = {dataset.name: read_frame(dataset) for dataset in task.inputs if dataset.name in wanted}
    rows_in = sum(map(len, frames.values()))
    log.info(f"read {', '.join(frames)}", rows=rows_in)

    started = time.monotonic()
    produced = function(frames, task.interval)
    log.info(f"ran {task.spec.pandas}", seconds=round(time.monotonic() - started, 2))

    datasets = tuple(write_frame(f"{task.run_uri}/transform", name, frame) for name, frame in produced.items())
    for dataset in datasets:
        tell = log.info if dataset.rows else log.warning
        tell(f"transformed {dataset.name}", rows=dataset.rows, bytes=dataset.bytes)
    return StageResult(
        outcome=Outcome.done,
        datasets=datasets,
        rows_in=rows_in,
        rows_out=sum(dataset.rows for dataset in datasets),
        bytes_out=sum(dataset.bytes for dataset in datasets),
    )


if __name__ == "__main__":
    run(transform, TransformTask)
