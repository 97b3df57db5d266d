"""Runs the transform stage: the author's steps, each between Parquet and Parquet."""

import structlog

from etl_contract import Dataset, Outcome, SqlTransform, StageResult, TransformTask, run, steps_of

log = structlog.get_logger()


def transform(task: TransformTask) -> StageResult:
    """Run the steps in order: each sees what was extracted and what earlier steps made, and may make that anew.

    What the steps made, in its last form, is the result.
    """
    steps = steps_of(task.spec)
    read: dict[str, Dataset] = {}
    made: dict[str, Dataset] = {}
    for number, step in enumerate(steps, start=1):
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
    for dataset in made.values():
        tell = log.info if dataset.rows else log.warning
        tell(f"transformed {dataset.name}", rows=dataset.rows, bytes=dataset.bytes)
    return StageResult(
        outcome=Outcome.done,
        datasets=tuple(made.values()),
        rows_in=sum(dataset.rows for dataset in read.values()),
        rows_out=sum(dataset.rows for dataset in made.values()),
        bytes_out=sum(dataset.bytes for dataset in made.values()),
    )


if __name__ == "__main__":
    run(transform, TransformTask)
