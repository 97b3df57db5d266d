"""Makes the target table, changes one that is there, and says where the rows do not fit it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sqlalchemy as sa
import structlog
from psycopg import sql

from etl_contract import SchemaChange, SpecError, StageError, refuse
from etl_load._changes import change, changes, own_columns
from etl_load._columns import SqlType
from etl_load._job import Job
from etl_load._lookup import Existing, existing
from etl_load._modes import MODES, Index
from etl_load._warehouse import run

log = structlog.get_logger()


def table_problems(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    """Find where a dataset does not fit its table, or cannot make one."""
    found = existing(connection, job.target.table)
    if found is None:
        yield from _problems_of_new(connection, job)
    elif not found.is_table:
        hint = "Name a table, or drop what has its name."
        yield SpecError(f"{job.target.table} is no table", where=f"{job.where}.table", hint=hint)
    else:
        yield from changes(found, job).problems
        yield from _key_problems(found, job)


def prepare(connection: sa.Connection, job: Job) -> Job:
    """Make the table, or let it hold the rows; give the job without the columns that nobody has a type for.

    Raises:
        SpecError, DataError: another load, or a person, has made or changed the table meanwhile.
    """
    refuse(list(table_problems(connection, job)))
    found = existing(connection, job.target.table)
    types = found.types if found else {}
    known = tuple(column for column in job.columns if job.type_of(column) or column.name in types)
    job = replace(job, columns=known)
    if found is None:
        table = table_of(job)
        if not sa.inspect(connection).has_schema(str(table.schema)):
            connection.execute(sa.schema.CreateSchema(str(table.schema)))
        table.create(connection, checkfirst=False)
        log.info("created %s", job.target.table, columns=len(table.columns))
    else:
        needed = changes(found, job)
        change(connection, job, needed)
        if needed.added or needed.widened:
            log.warning("changed %s", job.target.table, added=dict(needed.added), widened=dict(needed.widened))
    return job


def complete(connection: sa.Connection, job: Job, *, is_new: bool) -> Mapping[str, str]:
    """Give the table what is missing of its key, indexes and comments: when the rows are in, as that is faster.

    Gives the types of its columns, by name.
    """
    mode = MODES[job.target.mode]
    found = existing(connection, job.target.table)
    assert found  # noqa: S101 - `prepare` has seen to it
    wanted = [Index(columns) for columns in job.target.indexes if columns not in found.indexes]
    if is_new:
        if key := mode.key(job):
            run(connection, "alter table {} add primary key ({})", job.place, _listed(key))
        wanted = [*mode.indexes(job), *(index for index in wanted if index.columns != key)]
    for index in wanted:
        kind = sql.SQL("create unique index" if index.unique else "create index")
        where = sql.SQL(f" where {index.where}" if index.where else "")
        method = sql.Identifier(index.method)
        run(connection, "{} on {} using {} ({}){}", kind, job.place, method, _listed(index.columns), where)
    comments: list[tuple[str | None, str]] = list(job.target.comments.items())
    if is_new or job.target.comment is not None:
        text = job.target.comment or f"Loaded by the pipeline {job.task.pipeline}, mode {job.target.mode}"
        comments.append((None, text))
    for name, text in comments:
        if text != found.comments.get(name):
            subject = sql.SQL("table {}").format(job.place) if name is None else _column(job, name)
            run(connection, "comment on {} is {}", subject, sql.Literal(text))
    return found.types


def table_of(job: Job) -> sa.Table:
    """Describe the target table as the dataset would have it, without its key and indexes."""
    mode = MODES[job.target.mode]
    schema, _, name = job.target.table.partition(".")
    key = mode.key(job)
    columns = [
        sa.Column(column.name, SqlType(job.type_of(column) or "text"), nullable=column.name not in key)
        for column in (*job.stored, *own_columns(job))
    ]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema)


def _problems_of_new(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    schema = job.target.table.partition(".")[0]
    rights = sa.text("""
        select coalesce((select has_schema_privilege(oid, 'create') from pg_namespace where nspname = :schema),
                        has_database_privilege(current_database(), 'create')),
               exists (select from pg_namespace where nspname = :schema)
    """)
    may, is_there = connection.execute(rights, {"schema": schema}).one()
    where = f"{job.where}.table"
    if not may and not is_there:
        hint = "Use 'mart', or have the schema created and the role 'load' granted create on it."
        yield SpecError(f"there is no schema '{schema}'", where=where, hint=hint)
    elif not may:
        hint = "Use 'mart', or have the role 'load' granted create on it."
        yield SpecError(f"no table can be created in the schema '{schema}'", where=where, hint=hint)
    untyped = [column.name for column in job.stored if job.type_of(column) is None]
    if untyped and (job.target.changes is SchemaChange.frozen or len(untyped) == len(job.stored)):
        hint = "Give them a type: under 'columns', or in the transform; with pandas: .astype('string')."
        problem = f"no row has a value for {', '.join(untyped)}, so the new table cannot know their type"
        yield SpecError(problem, where=job.where, hint=hint)


def _key_problems(found: Existing, job: Job) -> Iterator[StageError]:
    key = MODES[job.target.mode].key(job)
    if key and frozenset(key) not in found.unique:
        listed = "; ".join(sorted(f"({', '.join(sorted(names))})" for names in found.unique)) or "none"
        hint = f"Name the key of the table, or create a unique index on ({', '.join(key)}). Its keys: {listed}."
        problem = f"({', '.join(key)}) is not unique in {job.target.table}"
        yield SpecError(problem, where=f"{job.where}.key", hint=hint)


def _listed(names: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _column(job: Job, name: str) -> sql.Composable:
    return sql.SQL("column {}.{}").format(job.place, sql.Identifier(name))
