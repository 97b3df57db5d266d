"""Compares a dataset with its table: what the table must change to hold it, and what cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow.compute as pc
import sqlalchemy as sa
from psycopg import sql

from etl_contract import SchemaChange, SpecError, StageError
from etl_load._columns import Column
from etl_load._fit import fits, widened
from etl_load._job import Job
from etl_load._lookup import Existing
from etl_load._modes import MODES
from etl_load._warehouse import run

_ROWS = 65_536


@dataclass(frozen=True)
class Changes:
    """What a table must change to hold a dataset: columns to add and to widen, with their types; and what cannot be."""

    added: Mapping[str, str] = field(default_factory=dict)
    widened: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[StageError, ...] = ()


def changes(found: Existing, job: Job) -> Changes:
    """Compare the columns that the dataset brings with those of a table that is there."""
    added: dict[str, str] = {}
    wider: dict[str, str] = {}
    for column in (*job.stored, *own_columns(job)):
        ours, theirs = job.type_of(column), found.types.get(column.name)
        if ours and theirs is None:
            added[column.name] = ours
        elif ours and theirs and not _holds(job, column, ours, theirs):
            wider[column.name] = widened(ours, theirs) or ""
    return Changes(added, wider, tuple(_problems(found, job, added, wider)))


def change(connection: sa.Connection, job: Job, changes: Changes) -> None:
    """Add columns, and widen types, in one pass over the table."""
    if not changes.added and not changes.widened:
        return
    parts = [_part("add column {} {}", *added) for added in changes.added.items()]
    parts += [_part("alter column {} type {}", *wider) for wider in changes.widened.items()]
    run(connection, "alter table {} {}", job.place, sql.SQL(", ").join(parts))


def own_columns(job: Job) -> tuple[Column, ...]:
    """Give the columns that the mode adds."""
    return tuple(Column(column.name, column.kind) for column in MODES[job.target.mode].own(job))


def _part(words: str, name: str, kind: str) -> sql.Composable:
    return sql.SQL(words).format(sql.Identifier(name), sql.SQL(kind))


def _holds(job: Job, column: Column, ours: str, theirs: str) -> bool:
    """Tell whether the table's column can stay as it is."""
    if not fits(ours, theirs):
        return False
    length = theirs.removeprefix("character varying(").removesuffix(")")
    if ours != "text" or not length.isdigit() or job.target.changes is SchemaChange.frozen:
        return True
    lengths = (pc.max(pc.utf8_length(batch.column(0))).as_py() for batch in job.read([column.name], _ROWS))
    return max((found for found in lengths if found), default=0) <= int(length)


def _problems(found: Existing, job: Job, added: Mapping[str, str], wider: Mapping[str, str]) -> Iterator[StageError]:
    table = job.target.table
    frozen = job.target.changes is SchemaChange.frozen
    for name in {*job.stored_names} & found.always:
        hint = "Drop it in the transform."
        yield SpecError(f"{table} makes its values by itself", where=_place(job, name), hint=hint)
    for name, ours in added.items():
        yield from _problems_of_added(job, name, ours, frozen=frozen)
    for name, kind in wider.items():
        yield from _problems_of_wider(found, job, name, kind, frozen=frozen)
    if (added or wider) and not frozen and not found.is_ours:
        hint = f"Have it changed by '{found.owner}', who owns it, or keep these columns from it in the transform."
        yield SpecError(f"{table} lacks what {_words(added, wider)} need", where=job.where, hint=hint)
    there = {*job.stored_names, *(column.name for column in own_columns(job))}
    lacking = [name for name in found.types if name not in there | found.given and not name.startswith("_etl_")]
    if needed := [name for name in lacking if name in found.needed]:
        hint = "Give them in the transform, or let the table have a default."
        problem = f"{table} needs a value for {', '.join(needed)}, which the dataset does not have"
        yield SpecError(problem, where=job.where, hint=hint)
    if frozen and (lost := [name for name in lacking if name not in found.needed]):
        hint = "Give them in the transform, drop them from the table, or write 'schema: evolve'."
        yield SpecError(f"{table} has {', '.join(lost)}, which the dataset does not have", where=job.where, hint=hint)


def _problems_of_added(job: Job, name: str, ours: str, *, frozen: bool) -> Iterator[StageError]:
    add = f"alter table {job.target.table} add column ... {ours}"
    if job.target.mode == "history" and name in {column.name for column in own_columns(job)}:
        hint = "Let the load make the table: name another, or drop this one."
        yield SpecError(f"{job.target.table} is no table of mode 'history'", where=_place(job, name), hint=hint)
    elif frozen:
        hint = f"Drop it in the transform, add it ({add}), or write 'schema: evolve'."
        yield SpecError(f"{job.target.table} has no such column", where=_place(job, name), hint=hint)


def _problems_of_wider(found: Existing, job: Job, name: str, kind: str, *, frozen: bool) -> Iterator[StageError]:
    table, theirs = job.target.table, found.types[name]
    ours = next(job.type_of(column) for column in (*job.stored, *own_columns(job)) if column.name == name)
    if not kind or frozen:
        evolve = ", or write 'schema: evolve'" if kind else ", or alter the table"
        hint = f"Convert it in the transform to {theirs}{evolve}."
        yield SpecError(f"it is {ours}, but {theirs} in {table}", where=_place(job, name), hint=hint)
    elif views := found.views.get(name):
        hint = f"Drop the view, load, and make it again; or convert the column in the transform to {theirs}."
        problem = (
            f"it is {ours}, but {theirs} in {table}, which cannot become {kind}: {', '.join(views)} is a view of it"
        )
        yield SpecError(problem, where=_place(job, name), hint=hint)


def _place(job: Job, name: str) -> str:
    return f"{job.where}, column '{name}'"


def _words(added: Mapping[str, str], wider: Mapping[str, str]) -> str:
    return ", ".join(f"'{name}' ({kind})" for name, kind in {**added, **wider}.items())
