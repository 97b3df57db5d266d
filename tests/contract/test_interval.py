"""The span of time that a run is about."""

from datetime import date, datetime

import pytest
from pydantic import ValidationError

from etl_contract import Interval


def _interval(start: str, end: str, timezone: str = "America/New_York") -> Interval:
    return Interval(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), timezone=timezone)


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2026-11-01T04:00Z", "2026-11-02T05:00Z", "2026-11-01"),
        ("2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-08"),
        ("2026-01-01T05:00Z", "2026-02-01T05:00Z", "2026-01-01 to 2026-01-31"),
        ("2026-01-01T11:00Z", "2026-01-02T11:00Z", "2026-01-01 06:00 to 2026-01-02 06:00"),
    ],
)
def test_an_interval_is_shown_as_its_time_zone_has_it(start: str, end: str, shown: str) -> None:
    """A day is shown as a day, also when the clocks change."""
    assert str(_interval(start, end)) == shown


def test_the_end_does_not_belong_to_the_interval() -> None:
    """The last day is that of the last instant before the end."""
    interval = _interval("2026-11-01T04:00Z", "2026-11-02T05:00Z")

    assert (interval.first_day, interval.last_day) == (date(2026, 11, 1), date(2026, 11, 1))


@pytest.mark.parametrize("end", ["2026-01-01T00:00Z", "2025-12-31T00:00Z"])
def test_an_interval_goes_forward(end: str) -> None:
    """An empty or backward interval is refused."""
    with pytest.raises(ValidationError, match="ends at"):
        _interval("2026-01-01T00:00Z", end)


def test_an_instant_without_a_zone_is_refused() -> None:
    """Nobody guesses a time zone."""
    with pytest.raises(ValidationError, match="timezone"):
        _interval("2026-01-01T00:00", "2026-01-02T00:00")


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-03-09T04:00Z", "2026-03-10T04:00Z", "2026-03-08"),  # which has 23 hours
        ("2026-11-02T05:00Z", "2026-11-03T05:00Z", "2026-11-01"),  # which has 25
        ("2026-03-09T04:00Z", "2026-03-11T04:00Z", "2026-03-07 to 2026-03-08"),
        ("2026-01-01T06:00Z", "2026-01-01T07:00Z", "2026-01-01 00:00 to 2026-01-01 01:00"),
    ],
)
def test_the_interval_before_is_as_long_and_ends_where_this_begins(start: str, end: str, before: str) -> None:
    """As many days, be they short or long; or as many hours."""
    interval = _interval(start, end)

    assert str(interval.previous) == before
    assert interval.previous.end == interval.start
