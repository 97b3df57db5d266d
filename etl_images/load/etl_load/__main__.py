"""Runs the load stage: the task's files are written, its tables loaded in one transaction, its files published."""

from contextlib import ExitStack

from etl_contract import LoadTask, Outcome, StageResult, run


def load(task: LoadTask) -> StageResult:
    """Load the task's datasets into the warehouse that the secret names, and write its files."""
    if task.dry_run:
        from etl_load._dry_run import show  # noqa: PLC0415 - most runs are none

        show(task)
    if not task.export:
        return _into_warehouse(task)
    from etl_load._export import prepare, publish  # noqa: PLC0415 - most pipelines write none

    with ExitStack() as files:
        prepared = prepare(task, files)
        result = _into_warehouse(task)
        exports = publish(task, prepared)
    rows = sum(export.rows for export in exports)
    return result.model_copy(
        update={
            "exports": exports,
            "rows_in": result.rows_in or rows,
            "rows_out": result.rows_out or rows,
            "bytes_out": result.bytes_out + sum(export.bytes for export in exports),
        }
    )


def _into_warehouse(task: LoadTask) -> StageResult:
    """Load what goes into tables; what the sources are to remember, and what was checked, goes there, too."""
    if not (task.spec or task.watermarks or task.files or task.expect or task.checks):
        return StageResult(outcome=Outcome.done)
    from etl_load._load import load_into  # noqa: PLC0415 - a pipeline that only exports needs no warehouse
    from etl_load._warehouse import warehouse_uri  # noqa: PLC0415

    return load_into(warehouse_uri(), task)


if __name__ == "__main__":
    run(load, LoadTask)
