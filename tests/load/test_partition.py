"""Mode partition replaces the interval's local days whole, and refuses whatever would not."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from etl_contract import DataError, Interval, Outcome, SpecError
from etl_load._modes._partition import _cut_days
from tests.load.warehouse import Loading, day_of

BY_DAY = {"table": "flights", "mode": "partition", "partition": "day"}
MARCH_1, MARCH_2 = date(2024, 3, 1), date(2024, 3, 2)


def rows(*days: date | None) -> pa.Table:
    """Make a row for each day."""
    return pa.table({"n": range(len(days)), "day": pa.array(days, pa.date32())})


def test_rows_that_are_gone_from_the_source_are_gone_from_the_day(loading: Loading) -> None:
    """The day holds what the last run found, not what runs before found."""
    loading.load("flights", rows(*[MARCH_1] * 5), BY_DAY)

    (load,) = loading.load("flights", rows(*[MARCH_1] * 3), BY_DAY, run_id="again").loads

    assert (load.rows_deleted, load.rows_inserted) == (5, 3)
    assert loading.warehouse.rows("mart.flights") == ["(0,2024-03-01)", "(1,2024-03-01)", "(2,2024-03-01)"]


def test_interval_of_many_days_replaces_all_of_them(loading: Loading) -> None:
    """All days of the interval are replaced, from the first to the last, and no other."""
    for day in (1, 2, 3, 4):
        loading.load("flights", rows(date(2024, 3, day)), BY_DAY, interval=day_of(date(2024, 3, day)), run_id=f"{day}")

    (load,) = loading.load("flights", rows(), BY_DAY, interval=day_of(MARCH_2, days=2), run_id="many").loads

    assert load.rows_deleted == 2
    assert loading.warehouse.rows("mart.flights") == ["(0,2024-03-01)", "(0,2024-03-04)"]


def test_no_rows_empty_the_day_and_say_so(loading: Loading) -> None:
    """An interval without rows empties its days, with a warning."""
    loading.load("flights", rows(MARCH_1), BY_DAY)

    with capture_logs() as logs:
        result = loading.load("flights", rows(), BY_DAY, run_id="again")

    assert result.outcome is Outcome.done
    assert loading.warehouse.rows("mart.flights") == []
    warnings = [entry["event"] % entry.get("positional_args", ()) for entry in logs if entry["log_level"] == "warning"]
    assert warnings == ["no rows for mart.flights; its days become empty"]


def test_table_is_indexed_by_day(loading: Loading) -> None:
    """A new table has an index on the partition column."""
    loading.load("flights", rows(MARCH_1), BY_DAY)

    found = loading.warehouse.sql("select indexdef from pg_indexes where tablename = 'flights'")
    assert found == [("CREATE INDEX flights_day_idx ON mart.flights USING btree (day)",)]


def test_rows_of_other_days_are_refused(loading: Loading) -> None:
    """Rows outside the interval are counted by day, and nothing is written."""
    loading.load("flights", rows(MARCH_1), BY_DAY)
    strays = [date(2024, 3, 2)] * 2 + [date(2024, 2, day) for day in range(1, 8)]

    with pytest.raises(DataError) as caught:
        loading.load("flights", rows(MARCH_1, *strays), BY_DAY, run_id="again")

    assert str(caught.value) == (
        "load.flights, column 'day': 9 of 10 rows lie outside the interval 2024-03-01: 2024-03-02 (2 rows), "
        "2024-02-01 (1 rows), 2024-02-02 (1 rows), 2024-02-03 (1 rows), 2024-02-04 (1 rows) and 3 more days. "
        "Keep only rows of the interval's days, in the query or the transform, or load with mode 'upsert'."
    )
    assert loading.warehouse.rows("mart.flights") == ["(0,2024-03-01)"]
    assert loading.warehouse.staging() == []


def test_rows_without_a_day_are_refused(loading: Loading) -> None:
    """A missing day is refused, whether in some rows or in all."""
    for given in (rows(MARCH_1, None, None), pa.table({"day": pa.nulls(2)})):
        with pytest.raises(DataError, match=r"missing in (all )?2 (of 3 )?rows"):
            loading.load("flights", given, BY_DAY)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (pa.array([datetime(2024, 3, 1)]), r"'day' is of type timestamp\[us\], not a date.*\.dt\.date"),  # noqa: DTZ001
        (pa.array(["2024-03-01"]), "'day' is of type string, not a date"),
    ],
)
def test_partition_column_must_be_a_date(loading: Loading, column: pa.Array, problem: str) -> None:
    """A partition column that is no date is refused before anything is read."""
    with pytest.raises(SpecError, match=problem):
        loading.load("flights", pa.table({"day": column}), BY_DAY)


def test_partition_column_must_be_there(loading: Loading) -> None:
    """A partition column that the dataset lacks is refused, with the columns it has."""
    with pytest.raises(SpecError, match=r"load\.flights\.partition: there is no column 'day'.*has: n, date"):
        loading.load("flights", pa.table({"n": [1], "date": [MARCH_1]}), BY_DAY)


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        ("2024-03-01T11:00", "2024-03-02T11:00", "2024-03-01 and 2024-03-02"),
        ("2024-03-01T05:00", "2024-03-01T17:00", "2024-03-01"),
        ("2024-03-01T00:00", "2024-03-02T05:00", "2024-02-29"),
    ],
)
def test_interval_that_cuts_a_day_is_refused(loading: Loading, start: str, end: str, cut: str) -> None:
    """An interval that covers a day in part is refused: replacing the day would lose the rest of its rows."""
    interval = Interval(start=utc(start), end=utc(end), timezone="America/New_York")

    with pytest.raises(SpecError) as caught:
        loading.load("flights", rows(MARCH_1), BY_DAY, interval=interval)

    assert f"cuts {cut};" in caught.value.problem
    assert caught.value.hint == ("Align the schedule with midnight in America/New_York, or load with mode 'upsert'.")


@pytest.mark.parametrize(
    ("day", "timezone"),
    [
        (date(2024, 2, 29), "America/New_York"),
        (date(2024, 3, 10), "America/New_York"),  # 23 hours
        (date(2024, 11, 3), "America/New_York"),  # 25 hours
        (date(2018, 11, 4), "America/Sao_Paulo"),  # begins at 01:00: clocks jump over midnight
        (date(2018, 2, 17), "America/Sao_Paulo"),  # its last hour comes twice
        (date(2024, 11, 3), "America/Havana"),  # its first hour comes twice
        (date(2024, 3, 1), "UTC"),
    ],
)
def test_every_local_day_is_whole(day: date, timezone: str) -> None:
    """A day from midnight to midnight is whole, of however many hours, also where clocks skip midnight or repeat it."""
    assert _cut_days(day_of(day, timezone)) == ""


def test_days_are_those_of_the_pipeline(loading: Loading) -> None:
    """The days are local ones, also on the day of 25 hours."""
    sunday: dict[str, Any] = {"interval": day_of(date(2024, 11, 3)), "run_id": "sunday"}

    (load,) = loading.load("flights", rows(date(2024, 11, 3)), BY_DAY, **sunday).loads

    assert load.rows_inserted == 1


def utc(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
