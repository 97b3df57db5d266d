"""Finds the interval that a run is about."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from etl_contract import Interval, SpecError
from etl_platform._pipeline import Pipeline


def run_interval(
    pipeline: Pipeline,
    scheduled: tuple[datetime | None, datetime | None],
    run_after: datetime,
    changed: Sequence[Interval] = (),
) -> Interval:
    """Give the interval of a run of which nobody said another: what changed, Airflow's own, or the last complete one.

    Args:
        pipeline: its schedule and time zone say what complete means.
        scheduled: the data interval of Airflow's run; nothing or empty for some runs by hand and by REST.
        run_after: when the run was due.
        changed: the intervals of the loads that started the run; it is about all of them.
    """
    if changed:  # such a run has no data interval of its own
        first, last = min(each.start for each in changed), max(each.end for each in changed)
        return Interval(start=first, end=last, timezone=pipeline.timezone)
    start, end = scheduled
    if start is not None and end is not None and start < end:
        return Interval(start=start, end=end, timezone=pipeline.timezone)
    return last_complete(pipeline, run_after)


def local_day(day: date, timezone: str) -> Interval:
    """Give a day of a time zone's calendar, be it 23, 24 or 25 hours long.

    Raises:
        SpecError: it is the calendar's first or last, of which a part is none by another zone's clock.
    """
    if day in {date.min, date.max}:
        raise SpecError(f"a run cannot be about {day}, where the calendar ends", hint="Choose another day.")
    zone = ZoneInfo(timezone)
    start = datetime.combine(day, time.min, zone)
    return Interval(start=start, end=datetime.combine(day + timedelta(days=1), time.min, zone), timezone=timezone)


def last_complete(pipeline: Pipeline, now: datetime) -> Interval:
    """Give the last interval of the schedule that is over; without a schedule, yesterday."""
    local = now.astimezone(ZoneInfo(pipeline.timezone))
    if pipeline.cron is None:
        return local_day(local.date() - timedelta(days=1), pipeline.timezone)
    # The wall clock decides, so that a daily schedule stays at its hour when the clocks change.
    times = croniter(pipeline.cron, local.replace(tzinfo=None) + timedelta(microseconds=1))
    end = times.get_prev(datetime)
    start = times.get_prev(datetime)
    return Interval(
        start=start.replace(tzinfo=local.tzinfo), end=end.replace(tzinfo=local.tzinfo), timezone=pipeline.timezone
    )
