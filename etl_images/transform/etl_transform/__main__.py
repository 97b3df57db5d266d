"""Runs the transform stage: the author's steps, each between Parquet and Parquet, and the checks of what they made."""

import structlog

from etl_contract import Dataset, Outcome, SqlTransform, StageResult, TransformTask, run, steps_of

log = structlog.get_logger()


def transform(task: TransformTask) -> StageResult:
    """Make the datasets, or take the extracted ones as they are, and check what is expected of them."""
    if task.spec is None:
        datasets, rows_in = task.inputs, sum(dataset.rows for dataset in task.inputs)
    else:
        datasets, rows_in = _made(task)
    result = StageResult(outcome=Outcome.done, datasets=datasets, rows_in=rows_in)
    if task.expect:
        from etl_transform._expect import check_datasets  # noqa: PLC0415 - DuckDB only where something is expected

        result = result.model_copy(update=check_datasets(task, datasets)._asdict())
    for dataset in result.datasets:
        tell = log.info if dataset.rows else log.warning
        tell(f"transformed {dataset.name}", rows=dataset.rows, bytes=dataset.bytes)
    made = [dataset for dataset in result.datasets if dataset not in task.inputs]
    if made:
        from etl_contract.parquet import columns_of  # noqa: PLC0415 - where nothing is made, nothing of Arrow is needed

        result = result.model_copy(update={"columns": columns_of(made)})
    return result.model_copy(
        update={
            "rows_out": sum(dataset.rows for dataset in result.datasets),
            "bytes_out": sum(dataset.bytes for dataset in result.datasets),
        }
    )


def _made(task: TransformTask) -> tuple[tuple[Dataset, ...], int]:
    """Run the steps in order: each sees what was extracted and what earlier steps made, and may make that anew.

    Gives what the steps made, in its last form, and the rows that went in.
    """
    read: dict[str, Dataset] = {}
    made: dict[str, Dataset] = {}
    for number, step in enumerate(steps_of(task.spec), start=1):
        section = f"transform.{number}" if isinstance(task.spec, tuple) else "transform"
        there = {dataset.name: dataset for dataset in task.inputs} | made
        # A stage imports what its steps need, and nothing else: DuckDB and pandas take a while.
        if isinstance(step, SqlTransform):
            from etl_transform._sql import run_sql  # noqa: PLC0415

            done = run_sql(task, step, f"{section}.sql", there)
        else:
            from etl_transform._pandas import run_pandas  # noqa: PLC0415

            done = run_pandas(task, step, there)
        read |= {dataset.uri: dataset for dataset in done.read if dataset in task.inputs}
        made |= {dataset.name: dataset for dataset in done.datasets}
    return tuple(made.values()), sum(dataset.rows for dataset in read.values())


if __name__ == "__main__":
    run(transform, TransformTask)
