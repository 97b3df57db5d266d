"""Replaces the interval's days whole."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import structlog

from etl_contract import DataError, Interval, SpecError, StageError
from etl_load._job import Job
from etl_load._modes._mode import Counts, Index, Mode
from etl_load._modes._rows import changed, fill

_EXAMPLES = 5
_ROWS = 65_536

log = structlog.get_logger()


class Partition(Mode):
    """Deletes the rows of the interval's days, and inserts the staged ones: the table then holds what the run found."""

    direct = True

    def whole(self, job: Job) -> bool:  # noqa: ARG002 - always
        """Tell that what the dataset lacks is gone."""
        return True

    def indexes(self, job: Job) -> tuple[Index, ...]:
        """Index the partition column, by which days are deleted and mostly read."""
        return (Index((_column(job),)),)

    def problems(self, job: Job) -> Iterator[StageError]:
        """Refuse an interval of half days, and a partition column that has no days."""
        yield from super().problems(job)
        if cut := _cut_days(job.interval):
            hint = f"Align the schedule with midnight in {job.interval.timezone}, or load with mode 'upsert'."
            problem = f"the interval {job.interval} cuts {cut}; replacing whole days would lose the rest of their rows"
            yield SpecError(problem, where=f"{job.where}.mode", hint=hint)
        where = f"{job.where}.partition"
        if _column(job) not in job.names:
            hint = f"The dataset has: {', '.join(job.names)}."
            yield SpecError(f"there is no column '{_column(job)}'", where=where, hint=hint)
        elif (kind := job.kind(_column(job))) is None and job.dataset.rows:
            hint = "Give each row its day in the transform."
            yield DataError(f"'{_column(job)}' is missing in all {job.dataset.rows} rows", where=where, hint=hint)
        elif kind is not None and not isinstance(kind.sql, sa.Date):
            hint = "Make it a date in the transform, in the pipeline's time zone; with pandas: .dt.date."
            field = job.parquet.schema_arrow.field(_column(job))
            yield SpecError(f"'{_column(job)}' is of type {field.type}, not a date", where=where, hint=hint)

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:  # noqa: ARG002 - see the file
        """Refuse rows of other days, and of none."""
        found = _days(job) if job.kind(_column(job)) else {}
        missing = found.pop(None, 0)
        where = f"{job.where}, column '{_column(job)}'"
        if missing:
            hint = "Give each row its day in the transform, or drop those rows there."
            yield DataError(f"missing in {missing} of {job.dataset.rows} rows", where=where, hint=hint)
        inside = range(_number(job.interval.first_day), _number(job.interval.last_day) + 1)
        others = sorted((-rows, day) for day, rows in found.items() if day is not None and day not in inside)
        if others:
            examples = ", ".join(f"{_shown(day)} ({-rows} rows)" for rows, day in others[:_EXAMPLES])
            more = f" and {len(others) - _EXAMPLES} more days" if len(others) > _EXAMPLES else ""
            total = -sum(rows for rows, _ in others)
            problem = f"{total} of {job.dataset.rows} rows lie outside the interval {job.interval}: {examples}{more}"
            hint = "Keep only rows of the interval's days, in the query or the transform, or load with mode 'upsert'."
            yield DataError(problem, where=where, hint=hint)

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Delete the days, insert the rows."""
        if not job.dataset.rows:
            log.warning("no rows for %s; its days become empty", job.target.table, interval=str(job.interval))
        first, last = (sa.literal(day, sa.Date()) for day in (job.interval.first_day, job.interval.last_day))
        deleted = changed(connection, sa.delete(table).where(table.c[_column(job)].between(first, last)))
        return Counts(inserted=fill(connection, job, table), deleted=deleted)


def _column(job: Job) -> str:
    return str(job.target.partition)


def _days(job: Job) -> dict[int | None, int]:
    """Count the rows of each day, by the number of days since 1970: Python's dates end before PostgreSQL's."""
    found: Counter[int | None] = Counter()
    for batch in job.read([_column(job)], _ROWS):
        for count in pc.value_counts(batch.column(0).cast(pa.date32()).cast(pa.int32())).to_pylist():
            found[count["values"]] += count["counts"]
    return found


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _shown(day: int) -> str:
    return str(pa.scalar(day, pa.int32()).cast(pa.date32()).cast(pa.string()).as_py())


def _cut_days(interval: Interval) -> str:
    """Name the days that the interval covers only in part.

    A day begins where the instant before lies in another day: clocks that jump over midnight have no 00:00.
    """
    zone = ZoneInfo(interval.timezone)
    cut = {
        edge.astimezone(zone).date()
        for edge in (interval.start, interval.end)
        if edge.astimezone(zone).date() == (edge.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone).date()
    }
    return " and ".join(str(day) for day in sorted(cut))
