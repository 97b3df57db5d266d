"""Shows what a load would do, without a warehouse: python -m etl_load.preview.

$ETL_TASK is a LoadTask; the answer is one line, "::etl-preview $ETL_NONCE", with JSON: of each dataset its columns with
their types, its first rows as text, and the statements that would make its table.
"""

import json
import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from etl_contract import Dataset, LoadTask, StageError, refuse
from etl_contract.parquet import reading
from etl_load._columns import Column, columns_of, type_name
from etl_load._job import Job
from etl_load._modes import MODES
from etl_load._plan import plan
from etl_load._table import table_of

MARK = "::etl-preview"
_DIALECT: sa.Dialect = postgresql.dialect()
_QUOTE = _DIALECT.identifier_preparer.quote


def preview(task: LoadTask, rows: int) -> list[dict[str, Any]]:
    """Describe each dataset; of one that goes into a table, as that would have it if it were new.

    Raises:
        SpecError: what the pipeline wants cannot be loaded.
    """
    with ExitStack() as files:
        jobs = {job.dataset.name: job for job in plan(task, files)}
        return [_described(dataset, jobs.get(dataset.name), rows) for dataset in task.inputs]


def _described(dataset: Dataset, job: Job | None, rows: int) -> dict[str, Any]:
    with reading(dataset) as parquet:
        columns, problems = columns_of(parquet.schema_arrow, dataset.name)
        refuse(problems if job else [])
        batch = next(parquet.iter_batches(batch_size=rows), None)
    first = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
    return {
        "dataset": dataset.name,
        "rows": dataset.rows,
        "columns": [{"name": column.name, "type": _type(column, job)} for column in columns],
        "first_rows": [[None if value is None else str(value) for value in row] for row in first],
        "table": job.target.table if job else None,
        "mode": job.target.mode.value if job else None,
        "ddl": _statements(job) if job else [],
    }


def _type(column: Column, job: Job | None) -> str:
    if job is not None:
        return job.type_of(column) or "unknown: no row has a value"
    return type_name(column.kind.sql) if column.kind else "unknown: no row has a value"


def _statements(job: Job) -> list[str]:
    """Write what would make the table; a column that nobody has a type for waits until a row has a value."""
    job = replace(job, columns=tuple(column for column in job.columns if job.type_of(column)))
    mode, key = MODES[job.target.mode], MODES[job.target.mode].key(job)
    table = table_of(job)
    create = (
        str(sa.schema.CreateTable(table).compile(dialect=_DIALECT)).strip().replace("\t", "    ").replace(", \n", ",\n")
    )
    name = _DIALECT.identifier_preparer.format_table(table)
    statements = [create, *([f"ALTER TABLE {name} ADD PRIMARY KEY ({_listed(key)})"] if key else [])]
    wanted = [(index.columns, index.unique, index.method, index.where) for index in mode.indexes(job)]
    wanted += [(columns, False, "btree", "") for columns in job.target.indexes if columns != key]
    for columns, unique, method, where in wanted:
        kind = "CREATE UNIQUE INDEX" if unique else "CREATE INDEX"
        statements.append(f"{kind} ON {name} USING {method} ({_listed(columns)}){f' WHERE {where}' if where else ''}")
    return statements


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(_QUOTE, names))


def main() -> None:
    """Answer the task of the environment."""
    nonce, rows = os.environ.pop("ETL_NONCE", ""), int(os.environ.pop("ETL_ROWS", "5"))
    try:
        answer: Any = {"datasets": preview(LoadTask.model_validate_json(os.environ.pop("ETL_TASK")), rows)}
    except StageError as error:
        answer = {"problem": error.problem, "where": error.where, "hint": error.hint}
    print(f"{MARK} {nonce} {json.dumps(answer, ensure_ascii=False)}", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
