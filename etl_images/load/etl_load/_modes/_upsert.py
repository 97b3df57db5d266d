"""Updates rows by their key, and inserts those that are new."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from etl_contract import DataError, StageError
from etl_load._job import Job
from etl_load._modes._mode import Counts, Mode
from etl_load._modes._rows import changed, insertion

_EXAMPLES = 5


class Upsert(Mode):
    """Updates rows whose key is there and whose values differ, and inserts the others; what is equal stays untouched.

    An update and an insert, not `on conflict` or `merge`: both count truly, and a hash join is faster than a look-up a
    row. The lock on the table keeps other loads away between the two; a row that anyone else adds there fails the load
    by its key, and the next load finds it.
    """

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
        index = sa.Index(f"{job.staging.name}_key", *key, unique=True)
        try:
            with connection.begin_nested():
                index.create(connection)
        except sa.exc.IntegrityError:
            pass
        else:
            return
        count = sa.func.count()
        whole = sa.select(*key, count).select_from(job.staging).where(*(column.is_not(None) for column in key))
        twice = whole.group_by(*key).having(count > 1).subquery()
        total = connection.execute(sa.select(sa.func.count()).select_from(twice)).scalar_one()
        *columns, times = twice.c
        worst = sa.select(twice).order_by(times.desc(), *columns).limit(_EXAMPLES)
        examples = ", ".join(f"({_words(row[:-1])}) {row[-1]} times" for row in connection.execute(worst))
        more = f" and {total - _EXAMPLES} more" if total > _EXAMPLES else ""
        hint = "Keep one row a key in the transform, or add the column that tells them apart to the key."
        where = f"{job.where}.key ({', '.join(job.target.key)})"
        yield DataError(f"{total} keys are there more than once: {examples}{more}", where=where, hint=hint)

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Update what differs, insert what is new."""
        if not job.dataset.rows:
            return Counts()
        same = [table.c[name] == job.value(name) for name in job.target.key]
        others = [name for name in job.names if name not in job.target.key]
        differs = sa.or_(sa.false(), *(table.c[name].is_distinct_from(job.value(name)) for name in others))
        update = sa.update(table).values({table.c[name]: job.value(name) for name in others}).where(*same, differs)
        updated = changed(connection, update) if others else 0
        new = ~sa.exists(sa.select(sa.literal_column("1")).select_from(table).where(*same))
        return Counts(inserted=changed(connection, insertion(job, table, new)), updated=updated)


def _words(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values)
