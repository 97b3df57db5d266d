"""Replaces all rows of a table."""

import sqlalchemy as sa
import structlog

from etl_load._job import Job
from etl_load._modes._mode import Counts, Mode
from etl_load._modes._rows import changed, fill

log = structlog.get_logger()


class Replace(Mode):
    """Deletes all rows and adds the dataset's, so that the table is the dataset.

    By `delete`, not by `truncate` or a table that takes the other's name: readers are not kept waiting, a snapshot that
    was taken before still sees the old rows, and views, grants, indexes and comments stay. What it costs is the room
    of the old rows until vacuum gives it to the next load's.
    """

    direct = True

    def whole(self, job: Job) -> bool:  # noqa: ARG002 - always
        """Tell that what the dataset lacks is gone."""
        return True

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Delete all, add all."""
        if not job.dataset.rows:
            log.warning("no rows for %s; it becomes empty", job.target.table)
        deleted = changed(connection, sa.delete(table))
        return Counts(inserted=fill(connection, job, table), deleted=deleted)
