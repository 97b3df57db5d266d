"""Updates rows by their key, and inserts those that are new."""

import sqlalchemy as sa
import structlog

from etl_load._job import Job
from etl_load._modes._keyed import Keyed, differs, gone, same_key, some
from etl_load._modes._mode import Counts
from etl_load._modes._rows import changed, insertion

log = structlog.get_logger()


class Upsert(Keyed):
    """Updates rows whose key is there and whose values differ, and inserts the others; what is equal stays untouched.

    An update and an insert, not `on conflict` or `merge`: both count truly, and a hash join is faster than a look-up a
    row. The lock on the table keeps other loads away between the two; a row that anyone else adds there fails the load
    by its key, and the next load finds it.
    """

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Delete what is gone, update what differs, insert what is new."""
        deleted = _delete(connection, job, table)
        if not job.dataset.rows:
            return Counts(deleted=deleted)
        there = sa.not_(gone(job))
        same = same_key(job, table)
        others = [name for name in job.stored_names if name not in job.target.key]
        values = {table.c[name]: job.value(name) for name in others}
        update = sa.update(table).values(values).where(*same, differs(job, table), there)
        updated = changed(connection, update) if others else 0
        inserted = changed(connection, insertion(job, table, ~some(table, *same), there))
        return Counts(inserted, updated, deleted)


def _delete(connection: sa.Connection, job: Job, table: sa.Table) -> int:
    if job.target.deletes_missing:
        if not job.dataset.rows:
            log.warning("no rows for %s; it becomes empty", job.target.table)
        return changed(connection, sa.delete(table).where(~some(job.staging, *same_key(job, table))))
    if job.target.flag and job.kind(job.target.flag):
        return changed(connection, sa.delete(table).where(some(job.staging, *same_key(job, table), gone(job))))
    return 0
