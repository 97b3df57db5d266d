"""Keeps every version of a row, with the time in which it held (a slowly changing dimension of type 2)."""

from collections.abc import Iterator

import pyarrow as pa
import sqlalchemy as sa
import structlog

from etl_contract import DataError, StageError
from etl_load._columns import BOOLEAN, TIMESTAMPTZ
from etl_load._job import Job, Own
from etl_load._lookup import existing
from etl_load._modes._keyed import Keyed, differs, gone, same_key, some
from etl_load._modes._mode import Counts, Index
from etl_load._modes._rows import changed, insertion

_COLUMNS = ("valid_from", "valid_to", "is_current")
_AFTER = sa.text("""
    select max(interval_start) from etl.loads
    where table_id = to_regclass(:table) and mode = 'history' and interval_start > :start
""")

log = structlog.get_logger()


class History(Keyed):
    """Closes the version of a row that changed, and adds the new one, which holds from the interval's start.

    The interval's load is undone and done again where it was loaded before: what follows is the same whether that
    happened or not, and versions that would be the same stay untouched. An older interval is refused: whether what it
    says held until the next one, the table cannot know.
    """

    def key(self, job: Job) -> tuple[str, ...]:
        """Name a version by the author's key and its begin."""
        return (*job.target.key, "valid_from")

    def own(self, job: Job) -> tuple[Own, ...]:
        """Let a new version hold from the interval's start on."""
        start = job.interval.start
        instant = pa.timestamp("us", "UTC")
        return (
            Own("valid_from", TIMESTAMPTZ, start, pa.array([start], instant)),
            Own("valid_to", TIMESTAMPTZ, None, pa.nulls(1, instant)),
            Own("is_current", BOOLEAN, True, pa.array([True])),  # noqa: FBT003 - the column's value
        )

    def indexes(self, job: Job) -> tuple[Index, ...]:
        """Let a key have one current version."""
        return (Index(job.target.key, unique=True, where="is_current"),)

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:
        """Refuse an interval that is older than one that has been loaded."""
        yield from super().row_problems(connection, job)
        yield from _order_problems(connection, job)

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Take back what the interval's earlier load opened and closed, where it is no longer so; close, add."""
        for problem in _order_problems(connection, job):  # another load may have come between
            raise problem
        if job.target.deletes_missing and not job.dataset.rows:
            log.warning("no rows for %s; all its versions are closed", job.target.table)
        start = sa.literal(job.interval.start, TIMESTAMPTZ.sql)
        born, died = table.c.valid_from, table.c.valid_to
        same, other = same_key(job, table), differs(job, table)
        is_same = some(job.staging, *same, sa.not_(other), sa.not_(gone(job)))
        is_other = ~is_same if job.target.deletes_missing else some(job.staging, *same, sa.or_(other, gone(job)))
        deleted = changed(connection, sa.delete(table).where(born == start, is_other))
        opened = {"valid_to": None, "is_current": True}
        reopened = changed(connection, sa.update(table).values(opened).where(died == start, is_same))
        closed = {"valid_to": start, "is_current": False}
        before = born < start
        updated = changed(connection, sa.update(table).values(closed).where(before, died.is_(None), is_other))
        new = insertion(job, table, ~some(table, *same, died.is_(None)), sa.not_(gone(job)), own=self.own(job))
        return Counts(changed(connection, new), reopened + updated, deleted)


def _order_problems(connection: sa.Connection, job: Job) -> Iterator[StageError]:
    """Find what was loaded of later intervals."""
    found = existing(connection, job.target.table)
    if found is None or not set(_COLUMNS) <= found.types.keys():
        return
    start = job.interval.start
    table = sa.table(job.target.table.partition(".")[2], schema=job.target.table.partition(".")[0])
    for name in _COLUMNS[:2]:
        table.append_column(sa.column(name, TIMESTAMPTZ.sql))
    versions = sa.select(sa.func.greatest(sa.func.max(table.c.valid_from), sa.func.max(table.c.valid_to)))
    place = {"table": job.place.as_string(), "start": start}
    latest = [connection.execute(versions).scalar(), connection.execute(_AFTER, place).scalar()]
    later = max((moment for moment in latest if moment and moment > start), default=None)
    if later:
        shown = later.astimezone(job.interval.local_start.tzinfo)
        problem = f"{job.target.table} has been loaded up to {shown:%Y-%m-%d %H:%M}, after the interval {job.interval}"
        hint = "History grows in the order of time: load the latest interval, or drop the table and load all in order."
        yield DataError(problem, where=job.where, hint=hint)
