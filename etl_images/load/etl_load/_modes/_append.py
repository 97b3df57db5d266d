"""Adds the interval's rows, once."""

import uuid
from datetime import UTC

import pyarrow as pa
import sqlalchemy as sa

from etl_contract import DataError, Interval, NothingToDo
from etl_load._columns import UUID
from etl_load._job import Job, Own
from etl_load._loads import LOADS, REFRESH, lines_of
from etl_load._modes._mode import Counts, Index, Mode
from etl_load._modes._rows import changed, fill

BATCH = "_etl_batch"
_NAMESPACE = uuid.UUID("6f0f4f0e-5a5c-4bb1-a5ae-6d3c1f7b2a10")


class Append(Mode):
    """Adds rows to those that are there; each bears its batch, so that the same batch replaces itself.

    A batch is what a pipeline's dataset holds for an interval: loaded again, be it by a retry or by another run, its
    rows take the place of those it left before. A source that follows a cursor, or takes each file once, gives other
    rows when the interval is read again; there a batch is the file that the run handed over. Of a dataset that may be
    made of both, nobody can tell which rows are there: it is loaded once for an interval.
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
        _refuse_twice(connection, job)
        batch = _batch(job)
        deleted = changed(connection, sa.delete(table).where(table.c[BATCH] == batch.value))
        return Counts(inserted=fill(connection, job, table, (batch,)), deleted=deleted)


def _is_of_its_run(job: Job) -> bool:
    """Tell whether the rows are those since the run before, and not those of the interval."""
    return job.dataset.name not in job.task.again and (job.follows_a_cursor or bool(job.task.files))


def _refuse_twice(connection: sa.Connection, job: Job) -> None:
    """Refuse rows that the table has already, in another batch.

    Raises:
        DataError: the interval overlaps with one that was loaded, or is loaded again where that may not be.
        NothingToDo: another run has read all anew since this one read its rows.
    """
    if _is_of_its_run(job):
        _refuse_stale(connection, job)
        if not job.task.mixed:
            return
    if job.task.mixed:
        others = sa.or_(LOADS.c.run_id != job.task.run_id, LOADS.c.sha256 != job.dataset.sha256)
    else:
        others = sa.or_(LOADS.c.interval_start != job.interval.start, LOADS.c.interval_end != job.interval.end)
    overlapping = sa.select(LOADS.c.run_id, LOADS.c.interval_start, LOADS.c.interval_end).where(
        *lines_of(job),
        LOADS.c.rows_staged > 0,
        LOADS.c.interval_start < job.interval.end,
        LOADS.c.interval_end > job.interval.start,
        others,
    )
    found = connection.execute(overlapping.order_by(LOADS.c.interval_start).limit(1)).one_or_none()
    if found:
        other = Interval(start=found.interval_start, end=found.interval_end, timezone=job.interval.timezone)
        problem = (
            f"{job.target.table} has the rows of {other} from the run {found.run_id}; "
            f"those of {job.interval} would add some of them again"
        )
        hint = "Load the same intervals again, such as by a backfill"
        if job.task.mixed:
            hint = "What is made of an interval and of what is new is loaded once; load them without a transform"
        hint += "; or use mode upsert, which tells rows by their key."
        raise DataError(problem, where=f"{job.where}.mode", hint=hint)


def _refuse_stale(connection: sa.Connection, job: Job) -> None:
    """Refuse to load again what a full refresh has read anew since."""
    if job.task.full_refresh:
        return
    loaded_at = sa.select(LOADS.c.loaded_at).where(*lines_of(job), LOADS.c.run_id == job.task.run_id).scalar_subquery()
    later = sa.select(LOADS.c.run_id).where(*lines_of(job), LOADS.c.mode == REFRESH, LOADS.c.loaded_at > loaded_at)
    if run_id := connection.execute(later.limit(1)).scalar():
        problem = f"the run {run_id} has read all anew since, with the rows of this one"
        raise NothingToDo(problem, where=job.where, hint="They are in the table already.")


def _batch(job: Job) -> Own:
    again = [edge.astimezone(UTC).isoformat() for edge in (job.interval.start, job.interval.end)]
    if _is_of_its_run(job):
        again = [job.task.run_id, job.dataset.sha256]
    batch = uuid.uuid5(_NAMESPACE, "\n".join((job.task.pipeline, job.dataset.name, *again)))
    return Own(BATCH, UUID, batch, pa.array([batch.bytes], pa.binary(16)))
