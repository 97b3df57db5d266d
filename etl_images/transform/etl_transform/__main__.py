"""Runs the transform stage: the author's function between Parquet and Parquet, and the checks of what it made."""

import time

import structlog

from etl_contract import Dataset, Outcome, PandasTransform, StageResult, TransformTask, run

log = structlog.get_logger()


def transform(task: TransformTask) -> StageResult:
    """Make the datasets, or take the extracted ones as they are, and check what is expected of them."""
    if task.spec is None:
        datasets, rows_in = task.inputs, sum(dataset.rows for dataset in task.inputs)
    else:
        datasets, rows_in = _made(task, task.spec)
    result = StageResult(outcome=Outcome.done, datasets=datasets, rows_in=rows_in)
    if task.expect:
        from etl_transform._expect import check_datasets  # noqa: PLC0415 - DuckDB only where something is expected

        result = result.model_copy(update=check_datasets(task, datasets)._asdict())
    for dataset in result.datasets:
        tell = log.info if dataset.rows else log.warning
        tell(f"transformed {dataset.name}", rows=dataset.rows, bytes=dataset.bytes)
    return result.model_copy(
        update={
            "rows_out": sum(dataset.rows for dataset in result.datasets),
            "bytes_out": sum(dataset.bytes for dataset in result.datasets),
        }
    )


def _made(task: TransformTask, spec: PandasTransform) -> tuple[tuple[Dataset, ...], int]:
    """Call the function of the twin file with the extracted DataFrames; give the datasets and the rows that went in."""
    from etl_transform._author import load_function  # noqa: PLC0415 - pandas takes a while
    from etl_transform._frames import read_frame, write_frame  # noqa: PLC0415

    function = load_function(spec, task.files)
    wanted = function.arguments([dataset.name for dataset in task.inputs])
    frames = {dataset.name: read_frame(dataset) for dataset in task.inputs if dataset.name in wanted}
    rows_in = sum(map(len, frames.values()))
    log.info(f"read {', '.join(frames)}", rows=rows_in)

    started = time.monotonic()
    produced = function(frames, task.interval)
    log.info(f"ran {spec.pandas}", seconds=round(time.monotonic() - started, 2))

    datasets = tuple(write_frame(f"{task.run_uri}/transform", name, frame) for name, frame in produced.items())
    return datasets, rows_in


if __name__ == "__main__":
    run(transform, TransformTask)
