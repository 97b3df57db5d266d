"""Which interval a run is about."""

from datetime import UTC, date, datetime, timedelta

import pytest

from etl_contract import Interval
from etl_platform import Pipeline
from etl_platform._interval import local_day, run_interval

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


def _pipeline(schedule: str | None = "0 0 * * *", timezone: str = "America/New_York") -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "orders",
            "schedule": schedule,
            "timezone": timezone,
            "extract": {"orders": {"sql": "source", "table": "orders"}},
            "load": {"orders": {"table": "orders", "mode": "upsert", "key": ["id"]}},
        }
    )


def _interval(scheduled: tuple[datetime | None, datetime | None] = (None, None)) -> Interval:
    return run_interval(_pipeline(), scheduled, NOW)


def test_a_scheduled_run_keeps_airflows_interval() -> None:
    """What the schedule says is what the stages are told."""
    start, end = datetime(2026, 1, 2, 5, tzinfo=UTC), datetime(2026, 1, 3, 5, tzinfo=UTC)

    assert _interval(scheduled=(start, end)) == Interval(start=start, end=end, timezone="America/New_York")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2028-02-29", 24)])
def test_a_day_is_as_long_as_its_time_zone_makes_it(day: str, hours: int) -> None:
    """A day of the clocks' change has 23 or 25 hours."""
    interval = local_day(date.fromisoformat(day), "America/New_York")

    assert interval.end.astimezone(UTC) - interval.start.astimezone(UTC) == timedelta(hours=hours)
    assert str(interval) == day


@pytest.mark.parametrize("scheduled", [(None, None), (NOW, NOW)])
def test_without_a_day_it_is_the_last_complete_one(scheduled: tuple[datetime | None, datetime | None]) -> None:
    """A run by hand or by REST, with or without a logical date, is about yesterday."""
    assert str(_interval(scheduled=scheduled)) == "2026-11-23"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-02T04:59:59Z", "2026-10-31"),
        ("2026-11-02T05:00:00Z", "2026-11-01"),
        ("2026-03-09T03:59:59Z", "2026-03-07"),
        ("2026-03-09T04:00:00Z", "2026-03-08"),
    ],
)
def test_a_day_is_complete_at_its_own_midnight(now: str, day: str) -> None:
    """The wall clock of the pipeline's time zone decides, also when the clocks change."""
    interval = run_interval(_pipeline(), (None, None), datetime.fromisoformat(now))

    assert str(interval) == day


def test_without_a_schedule_it_is_yesterday() -> None:
    """A pipeline that runs by hand only is about a day, too."""
    interval = run_interval(_pipeline(None, "Asia/Tokyo"), (None, None), NOW)

    assert str(interval) == "2026-11-24"  # it is the 25th in Tokyo already
