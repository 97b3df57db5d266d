"""How the views move the year 2013 to the last twelve months."""
# ruff: noqa: S608  # views and days are the tests' own

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.source_data.conftest import Source

pytestmark = pytest.mark.integration

NEW_YORK = ZoneInfo("America/New_York")
# The day after each change of clocks in 2026, days around a leap day and a new year, and ordinary ones.
TODAYS = (
    "2026-03-09",
    "2026-11-02",
    "2026-11-04",
    "2027-01-01",
    "2027-07-15",
    "2028-02-29",
    "2028-03-05",
    "2030-11-03",
)


def moved(row: dict[str, str], today: date) -> date:
    """Return the latest day of a row's month and day that is before today."""
    month, day = int(row["month"]), int(row["day"])
    this_year = date(today.year, month, day)
    return this_year if this_year < today else date(today.year - 1, month, day)


def instant(day: date, hour: int) -> datetime | None:
    """Return a local hour as an instant: the second where it comes twice, None where clocks skip it."""
    local = datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK, fold=1)
    utc = local.astimezone(UTC)
    return utc if utc.astimezone(NEW_YORK).hour == hour else None


@pytest.mark.parametrize("today", TODAYS)
@pytest.mark.parametrize("view", ["flights", "weather"])
def test_every_row_is_where_its_calendar_day_and_hour_are(
    source: Source, flights_2013: list[dict[str, str]], weather_2013: list[dict[str, str]], view: str, today: str
) -> None:
    """Each hour has its rows of 2013, at the instant which that local hour has in its new year."""
    on = date.fromisoformat(today)
    expected: Counter[tuple[str, ...]] = Counter()
    for row in {"flights": flights_2013, "weather": weather_2013}[view]:
        day = moved(row, on)
        time_hour = instant(day, int(row["hour"]))
        if time_hour is not None:
            expected[str(day.year), row["month"], row["day"], row["hour"], str(int(time_hour.timestamp()))] += 1

    columns = "year, month, day, hour, extract(epoch from time_hour)::bigint"
    rows = source.ask(f"select {columns}, count(*) from {view} group by 1, 2, 3, 4, 5", today)

    assert {tuple(key): int(count) for *key, count in rows} == dict(expected)


@pytest.mark.parametrize("today", ["", *TODAYS])
def test_yesterday_has_flights_and_today_has_none(source: Source, today: str) -> None:
    """The twelve months end with yesterday, in New York."""
    on = date.fromisoformat(today) if today else datetime.now(NEW_YORK).date()
    rows = source.ask("select distinct make_date(year, month, day), time_hour::date from flights", today)

    days = {date.fromisoformat(day) for day, _ in rows}
    assert all(day == shown for day, shown in rows)
    assert max(days) == on - timedelta(days=1)
    assert min(days) >= on - timedelta(days=366)
    assert len(days) == 365


def test_a_leap_day_has_no_flights(source: Source, flights_2013: list[dict[str, str]]) -> None:
    """2013 had no 29 February: the days around one have their flights, and it has none."""
    in_2013 = Counter((int(row["month"]), int(row["day"])) for row in flights_2013)
    by_day = "select make_date(year, month, day), count(*) from flights where month in (2, 3) group by 1"
    days = {date.fromisoformat(day): int(count) for day, count in source.ask(by_day, "2028-03-05")}
    last = source.ask("select max(time_hour)::date, count(*) from flights", "2028-03-01")

    assert date(2028, 2, 29) not in days
    assert days == {day: in_2013[day.month, day.day] for day in days}
    assert {date(2028, 2, 28), date(2028, 3, 1), date(2028, 3, 4), date(2027, 3, 5)} <= set(days)
    assert len(days) == 28 + 31
    assert last == [["2028-02-28", "336776"]]


@pytest.mark.parametrize(
    ("day", "after", "hours"), [("2026-03-08", "2026-03-09", 23), ("2026-11-01", "2026-11-02", 25)]
)
def test_a_day_on_which_clocks_change_is_whole(
    source: Source, flights_2013: list[dict[str, str]], day: str, after: str, hours: int
) -> None:
    """The interval of a local day of 23 or 25 hours has that day's flights, and no other's."""
    on = date.fromisoformat(day)
    expected = [row for row in flights_2013 if (int(row["month"]), int(row["day"])) == (on.month, on.day)]
    begin, end = (f"timestamptz '{midnight} America/New_York'" for midnight in (day, after))
    (count, distance, first, last), *_ = source.ask(
        "select count(*), sum(distance), min(hour), max(hour) from flights"
        f" where time_hour >= {begin} and time_hour < {end}",
        "2026-11-23",
    )
    (length,), *_ = source.ask(f"select extract(epoch from {end} - {begin}) / 3600")

    assert float(length) == hours
    assert int(count) == len(expected)
    assert int(distance) == sum(int(row["distance"]) for row in expected)
    assert (int(first), int(last)) == (
        min(int(row["hour"]) for row in expected),
        max(int(row["hour"]) for row in expected),
    )


def test_a_skipped_hour_has_no_weather(source: Source, weather_2013: list[dict[str, str]]) -> None:
    """The hour that clocks skip is left out, and is the only one: three rows, one an airport."""
    count = source.ask("select count(*) from weather", "2026-11-23")
    hours = source.ask("select distinct hour from weather where month = 3 and day = 8 order by 1", "2026-11-23")

    assert count == [[str(len(weather_2013) - 3)]]
    assert ["2"] not in hours
    assert len(hours) == 23


def test_months_are_those_of_2013(source: Source, flights_2013: list[dict[str, str]]) -> None:
    """Each month has as many flights, miles, minutes of delay and cancellations as in 2013."""
    expected: dict[int, list[int]] = {month: [0, 0, 0, 0] for month in range(1, 13)}
    for row in flights_2013:
        sums = expected[int(row["month"])]
        sums[0] += 1
        sums[1] += int(row["distance"])
        sums[2] += 0 if row["dep_delay"] == "NA" else int(row["dep_delay"])
        sums[3] += row["dep_time"] == "NA"

    rows = source.ask(
        "select month, count(*), sum(distance), sum(dep_delay), count(*) - count(dep_time) from flights group by 1"
    )

    assert {int(month): [int(value) for value in sums] for month, *sums in rows} == expected


def test_one_day_is_found_quickly(source: Source) -> None:
    """A day of flights costs a few milliseconds, not a scan of the year."""
    for view in ("flights", "weather"):
        plan = source.ask(
            f"explain analyze select * from {view}"
            " where time_hour >= timestamptz '2026-05-05 America/New_York'"
            " and time_hour < timestamptz '2026-05-06 America/New_York'",
            "2026-11-23",
        )
        text = "\n".join("|".join(line) for line in plan)
        found = re.search(r"Execution Time: ([\d.]+) ms", text)

        assert found is not None
        assert float(found[1]) < 150
        assert f"Seq Scan on {view}_2013" not in text
