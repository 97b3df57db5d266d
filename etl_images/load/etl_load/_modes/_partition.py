"""Replaces the interval's days whole."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog

from etl_contract import DataError, Interval, SpecError, StageError
from etl_load._job import Job
from etl_load._modes._mode import Counts, Mode, changed, insertion

_EXAMPLES = 5

log = structlog.get_logger()


class Partition(Mode):
    """Deletes the rows of the interval's days, and inserts the staged ones: the table then holds what the run found."""

    def indexes(self, job: Job) -> tuple[str, ...]:
        """Index the partition column, by which days are deleted and mostly read."""
        return (_column(job),)

    def problems(self, job: Job) -> Iterator[StageError]:
        """Refuse an interval of half days, and a partition column that has no days."""
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

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:
        """Refuse rows of other days, and of none."""
        day = job.value(_column(job))
        count = sa.func.count()
        outside = sa.or_(day.is_(None), sa.not_(_of_the_days(day, job.interval)))
        strays = sa.select(day, count).select_from(job.staging).where(outside).group_by(day).order_by(count.desc(), day)
        found = connection.execute(strays).all() if job.kind(_column(job)) else []
        where = f"{job.where}, column '{_column(job)}'"
        if missing := sum(rows for value, rows in found if value is None):
            hint = "Give each row its day in the transform, or drop those rows there."
            yield DataError(f"missing in {missing} of {job.dataset.rows} rows", where=where, hint=hint)
        if others := [(value, rows) for value, rows in found if value is not None]:
            examples = ", ".join(f"{value} ({rows} rows)" for value, rows in others[:_EXAMPLES])
            more = f" and {len(others) - _EXAMPLES} more days" if len(others) > _EXAMPLES else ""
            total = sum(rows for _, rows in others)
            problem = f"{total} of {job.dataset.rows} rows lie outside the interval {job.interval}: {examples}{more}"
            hint = "Keep only rows of the interval's days, in the query or the transform, or load with mode 'upsert'."
            yield DataError(problem, where=where, hint=hint)

    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Delete the days, insert the rows."""
        if not job.dataset.rows:
            log.warning("no rows for %s; its days become empty", job.target.table, interval=str(job.interval))
        of_the_days = _of_the_days(table.c[_column(job)], job.interval)
        deleted = changed(connection, sa.delete(table).where(of_the_days))
        return Counts(inserted=changed(connection, insertion(job, table)), deleted=deleted)


def _column(job: Job) -> str:
    return str(job.target.partition)


def _of_the_days(day: sa.ColumnElement[Any], interval: Interval) -> sa.ColumnElement[bool]:
    return day.between(sa.literal(interval.first_day, sa.Date()), sa.literal(interval.last_day, sa.Date()))


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
