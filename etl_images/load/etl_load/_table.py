"""Knows a target table as it is, makes it when it is missing, and says where the rows do not fit it."""

from collections.abc import Iterator

import sqlalchemy as sa

from etl_contract import SpecError, StageError
from etl_load._columns import Column, type_name
from etl_load._fit import fits
from etl_load._job import Job
from etl_load._lookup import Existing, existing
from etl_load._modes import MODES


def table_problems(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    """Find where a dataset does not fit its table, or cannot make one."""
    found = existing(connection, job.target.table)
    if found is None:
        yield from _problems_of_new(connection, job)
    elif not found.is_table:
        hint = "Name a table, or drop what has its name."
        yield SpecError(f"{job.target.table} is no table", where=f"{job.where}.table", hint=hint)
    else:
        yield from _column_problems(found, job)
        yield from _key_problems(found, job)


def create(connection: sa.Connection, job: Job) -> None:
    """Make the target table with the dataset's columns, and what its mode needs."""
    table_of(job).create(connection, checkfirst=False)


def table_of(job: Job) -> sa.Table:
    """Describe the target table as the dataset would have it."""
    mode = MODES[job.target.mode]
    schema, _, name = job.target.table.partition(".")
    key = mode.key(job)
    columns = [
        sa.Column(column.name, column.kind.sql if column.kind else sa.types.NullType(), nullable=column.name not in key)
        for column in job.stored
    ]
    columns += [sa.Column(column.name, column.kind.sql) for column in mode.own(job)]
    naming = {"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"}
    comment = f"Loaded by the pipeline {job.task.pipeline}, mode {job.target.mode}"
    table = sa.Table(
        name, sa.MetaData(naming_convention=naming), *columns, *mode.indexes(job), schema=schema, comment=comment
    )
    if key:
        table.append_constraint(sa.PrimaryKeyConstraint(*key))
    return table


def _problems_of_new(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    schema = job.target.table.partition(".")[0]
    rights = sa.text("select has_schema_privilege(nspname, 'create') from pg_namespace where nspname = :schema")
    may = connection.execute(rights, {"schema": schema}).scalar()
    where = f"{job.where}.table"
    if may is None:
        hint = "Use 'mart', or have the schema created and the role 'load' granted create on it."
        yield SpecError(f"there is no schema '{schema}'", where=where, hint=hint)
    elif not may:
        hint = "Use 'mart', or have the role 'load' granted create on it."
        yield SpecError(f"no table can be created in the schema '{schema}'", where=where, hint=hint)
    untyped = [column.name for column in job.stored if column.kind is None]
    if untyped:
        hint = "Give them a type in the transform; with pandas: .astype('string'), .astype('Int64')."
        problem = f"no row has a value for {', '.join(untyped)}, so the new table cannot know their type"
        yield SpecError(problem, where=job.where, hint=hint)


def _column_problems(found: Existing, job: Job) -> Iterator[StageError]:
    own = tuple(Column(column.name, column.kind) for column in MODES[job.target.mode].own(job))
    for column in (*job.stored, *own):
        where = f"{job.where}, column '{column.name}'"
        ours = type_name(column.kind.sql) if column.kind else ""
        theirs = found.types.get(column.name)
        if theirs is None:
            kind = ours or "text"
            hint = f"Drop it in the transform, or add it: alter table {job.target.table} add column ... {kind}."
            yield SpecError(f"{job.target.table} has no such column", where=where, hint=hint)
        elif ours and not fits(ours, theirs):
            hint = f"Convert it in the transform to {theirs}, or alter the table."
            yield SpecError(f"it is {ours}, but {theirs} in {job.target.table}", where=where, hint=hint)
    if missing := sorted(found.required - {column.name for column in (*job.stored, *own)}):
        hint = "Give them in the transform, or let the table have a default."
        problem = f"{job.target.table} needs a value for {', '.join(missing)}, which the dataset does not have"
        yield SpecError(problem, where=job.where, hint=hint)


def _key_problems(found: Existing, job: Job) -> Iterator[StageError]:
    key = MODES[job.target.mode].key(job)
    if key and frozenset(key) not in found.unique:
        listed = "; ".join(sorted(f"({', '.join(sorted(names))})" for names in found.unique)) or "none"
        hint = f"Name the key of the table, or create a unique index on ({', '.join(key)}). Its keys: {listed}."
        problem = f"({', '.join(key)}) is not unique in {job.target.table}"
        yield SpecError(problem, where=f"{job.where}.key", hint=hint)
