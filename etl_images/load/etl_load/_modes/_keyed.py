"""Compares staged rows with those of a table by their key."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from etl_contract import DataError, SpecError, StageError
from etl_load._job import Job
from etl_load._modes._mode import Mode

_EXAMPLES = 5


class Keyed(Mode):
    """A mode in which a key names a row: none is missing, none is there twice, and some may be marked as gone."""

    def problems(self, job: Job) -> Iterator[StageError]:
        """Refuse a mark of what is gone that is none."""
        yield from super().problems(job)
        flag = job.target.flag
        if flag is None:
            return
        where = f"{job.where}.delete"
        kind = job.kind(flag)
        if flag not in job.names:
            hint = f"Write 'missing', or a column of the dataset, which has: {', '.join(job.names)}."
            yield SpecError(f"there is no column '{flag}'", where=where, hint=hint)
        elif kind and not isinstance(kind.sql, sa.Boolean | sa.Date | sa.DateTime):
            hint = "Make it true or false, or the time at which the row was deleted, in the transform."
            field = job.parquet.schema_arrow.field(flag)
            yield SpecError(f"'{flag}' is of type {field.type}, neither a boolean nor a time", where=where, hint=hint)

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:
        """Refuse keys that are missing, or there twice."""
        if not job.dataset.rows:
            return
        key = [job.value(name) for name in job.target.key]
        missing = sa.select(*(sa.func.count().filter(column.is_(None)) for column in key)).select_from(job.staging)
        for name, rows in zip(job.target.key, connection.execute(missing).one(), strict=True):
            if rows:
                hint = "A key names a row: fill it in the transform, or drop those rows there."
                where = f"{job.where}, column '{name}'"
                yield DataError(f"missing in {rows} of {job.dataset.rows} rows", where=where, hint=hint)
        yield from self._duplicates(connection, job, key)

    def _duplicates(
        self, connection: sa.Connection, job: Job, key: list[sa.ColumnElement[Any]]
    ) -> Iterator[StageError]:
        """Build a unique index, which is the fastest proof, and tells the planner how many rows there are."""
        if job.casts.keys() & set(job.target.key):  # what text spells may depend on settings, which no index takes
            yield from self._listed(connection, job, key)
            return
        index = sa.Index(f"{job.staging.name}_key", *key, unique=True)
        try:
            with connection.begin_nested():
                index.create(connection)
        except sa.exc.IntegrityError:
            pass
        else:
            return
        yield from self._listed(connection, job, key)

    def _listed(self, connection: sa.Connection, job: Job, key: list[sa.ColumnElement[Any]]) -> Iterator[StageError]:
        count = sa.func.count()
        whole = sa.select(*key, count).select_from(job.staging).where(*(column.is_not(None) for column in key))
        twice = whole.group_by(*key).having(count > 1).subquery()
        total = connection.execute(sa.select(sa.func.count()).select_from(twice)).scalar_one()
        if not total:
            return
        *columns, times = twice.c
        worst = sa.select(twice).order_by(times.desc(), *columns).limit(_EXAMPLES)
        examples = ", ".join(f"({_words(row[:-1])}) {row[-1]} times" for row in connection.execute(worst))
        more = f" and {total - _EXAMPLES} more" if total > _EXAMPLES else ""
        hint = "Keep one row a key in the transform, or add the column that tells them apart to the key."
        where = f"{job.where}.key ({', '.join(job.target.key)})"
        yield DataError(f"{total} keys are there more than once: {examples}{more}", where=where, hint=hint)


def same_key(job: Job, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Join a staged row and the table's of the same key."""
    return [table.c[name] == job.value(name) for name in job.target.key]


def differs(job: Job, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Tell whether any value but the key is another."""
    names = [name for name in job.stored_names if name not in job.target.key]
    return sa.or_(sa.false(), *(table.c[name].is_distinct_from(job.value(name)) for name in names))


def gone(job: Job) -> sa.ColumnElement[bool]:
    """Tell whether a staged row is marked as gone."""
    flag = job.target.flag
    kind = job.kind(flag) if flag else None
    if flag is None or kind is None:
        return sa.false()
    value = job.value(flag)
    return value.is_(sa.true()) if isinstance(kind.sql, sa.Boolean) else value.is_not(None)


def some(source: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> sa.Exists:
    """Tell whether a row meets the conditions."""
    return sa.exists(sa.select(sa.literal_column("1")).select_from(source).where(*conditions))


def _words(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values)
