"""Checks what a pipeline declares of columns, and that their values can become of the declared types."""

import difflib
from collections.abc import Iterator

import sqlalchemy as sa

from etl_contract import DataError, SpecError, StageError
from etl_load._columns import type_name
from etl_load._fit import converts
from etl_load._job import Job
from etl_load._modes import MODES

_EXAMPLES = 5


def declared_problems(job: Job) -> Iterator[StageError]:
    """Find declarations of columns that are not there, and of types that the dataset's cannot become."""
    target = job.target
    own = [column.name for column in MODES[target.mode].own(job)]
    indexed = {name for columns in target.indexes for name in columns}
    for field, names in {"columns": target.columns, "comments": target.comments, "indexes": sorted(indexed)}.items():
        there = [*job.stored_names, *(() if field == "columns" else own)]
        for name in names:
            if name not in there:
                close = difflib.get_close_matches(name, there, n=1)
                meant = f"Did you mean '{close[0]}'? " if close else ""
                hint = f"{meant}The dataset has: {', '.join(job.names)}."
                yield SpecError(f"there is no column '{name}'", where=f"{job.where}.{field}", hint=hint)
    for name, wanted in job.casts.items():
        kind = job.kind(name)
        if kind and not converts(type_name(kind.sql), wanted):
            hint = "Convert it in the transform."
            problem = f"'{name}' is {type_name(kind.sql)}, of which no {wanted} is made without loss"
            yield SpecError(problem, where=f"{job.where}.columns", hint=hint)


def value_problems(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    """Find texts that spell no value of the declared type."""
    for name, wanted in job.casts.items():
        kind = job.kind(name)
        if kind is None or type_name(kind.sql) != "text":
            continue
        text = job.staging.c[name]
        count = sa.func.count()
        bad = ~sa.func.pg_input_is_valid(text, wanted)
        wrong = sa.select(text, count).where(text.is_not(None), bad).group_by(text).order_by(count.desc(), text)
        if found := connection.execute(wrong).all():
            total = sum(rows for _, rows in found)
            examples = ", ".join(f"{value!r} ({rows} rows)" for value, rows in found[:_EXAMPLES])
            more = f" and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
            problem = f"{total} of {job.dataset.rows} rows are no {wanted}: {examples}{more}"
            hint = "Correct or empty them in the transform, or declare another type under 'columns'."
            yield DataError(problem, where=f"{job.where}, column '{name}'", hint=hint)
