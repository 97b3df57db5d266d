"""Adds the interval's rows, once."""

import uuid
from datetime import UTC

import pyarrow as pa
import sqlalchemy as sa

from etl_load._columns import UUID
from etl_load._job import Job, Own
from etl_load._modes._mode import Counts, Index, Mode
from etl_load._modes._rows import changed, fill

BATCH = "_etl_batch"
_NAMESPACE = uuid.UUID("6f0f4f0e-5a5c-4bb1-a5ae-6d3c1f7b2a10")


class Append(Mode):
    """Adds rows to those that are there; each bears its batch, so that the same batch replaces itself.

    A batch is what a pipeline's dataset holds for an interval: loaded again, be it by a retry or by another run, its
    rows take the place of those it left before. A source that follows a cursor, or takes each file once, gives other
    rows when the interval is read again; there a batch is the file that the run handed over.
    """

    direct = True

    def own(self, job: Job) -> tuple[Own, ...]:
        """Mark each row with its batch."""
        return (_batch(job),)

    def indexes(self, job: Job) -> tuple[Index, ...]:  # noqa: ARG002 - the same for all
        """Find a batch by ranges of pages: its rows lie together, and nothing is paid for a row."""
        return (Index((BATCH,), method="brin"),)

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Delete what the batch left before, add its rows."""
        batch = _batch(job)
        deleted = changed(connection, sa.delete(table).where(table.c[BATCH] == batch.value))
        return Counts(inserted=fill(connection, job, table, (batch,)), deleted=deleted)


def _batch(job: Job) -> Own:
    again = [edge.astimezone(UTC).isoformat() for edge in (job.interval.start, job.interval.end)]
    if job.follows_a_cursor or job.task.files:
        again = [job.task.run_id, job.dataset.sha256]
    batch = uuid.uuid5(_NAMESPACE, "\n".join((job.task.pipeline, job.dataset.name, *again)))
    return Own(BATCH, UUID, batch, pa.array([batch.bytes], pa.binary(16)))
