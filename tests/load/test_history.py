"""Mode history keeps each version of a row, with the time in which it held."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, Load, SpecError
from tests.load.warehouse import Loading, day_of

CUSTOMERS = {"table": "customers", "mode": "history", "key": ["id"]}
VERSIONS = """
    select id, city, valid_from::date - date '2024-03-01' + 1, valid_to::date - date '2024-03-01' + 1, is_current
    from mart.customers order by 1, 3
"""


def load(loading: Loading, day: int, cities: dict[int, str], target: dict[str, Any] | None = None, **gone: Any) -> Load:  # noqa: ANN401
    """Load what is known on a day of March."""
    rows = pa.table(
        {"id": pa.array(list(cities), pa.int64()), "city": pa.array(list(cities.values()), pa.string()), **gone}
    )
    interval = day_of(date(2024, 3, day), "UTC")
    (done,) = loading.load("customers", rows, target or CUSTOMERS, interval=interval, run_id=f"day {day}").loads
    return done


def versions(loading: Loading) -> list[tuple[Any, ...]]:
    """Give id, city, first day, day after the last, and whether it is current."""
    return loading.warehouse.sql(VERSIONS)


def test_changed_row_closes_its_version(loading: Loading) -> None:
    """A changed row ends the version before it and begins one; an equal one and one that is not there stay."""
    load(loading, 1, {1: "Oslo", 2: "Rome", 3: "Lyon"})

    done = load(loading, 2, {1: "Oslo", 2: "Bari", 4: "Cork"})

    assert (done.rows_inserted, done.rows_updated, done.rows_deleted) == (2, 1, 0)
    assert versions(loading) == [
        (1, "Oslo", 1, None, True),
        (2, "Rome", 1, 2, False),
        (2, "Bari", 2, None, True),
        (3, "Lyon", 1, None, True),
        (4, "Cork", 2, None, True),
    ]


def test_same_interval_again_changes_nothing(loading: Loading) -> None:
    """A rerun touches no row at all."""
    load(loading, 1, {1: "Oslo", 2: "Rome"})
    load(loading, 2, {1: "Oslo", 2: "Bari"})
    before = loading.warehouse.sql("select ctid, xmin, t::text from mart.customers t order by ctid")

    done = load(loading, 2, {1: "Oslo", 2: "Bari"})

    assert (done.rows_inserted, done.rows_updated, done.rows_deleted) == (0, 0, 0)
    assert loading.warehouse.sql("select ctid, xmin, t::text from mart.customers t order by ctid") == before


@pytest.mark.parametrize("corrected", ["Rome", "Pisa"])
def test_corrected_interval_is_as_if_loaded_once(loading: Loading, corrected: str) -> None:
    """The last interval, loaded again with other rows, leaves what those alone would have left."""
    load(loading, 1, {1: "Oslo", 2: "Rome"})
    load(loading, 2, {1: "Bergen", 2: "Bari", 3: "Cork"})
    load(loading, 2, {1: "Oslo", 2: corrected, 3: "Cork"})
    after = versions(loading)

    loading.warehouse.clear()
    load(loading, 1, {1: "Oslo", 2: "Rome"})
    load(loading, 2, {1: "Oslo", 2: corrected, 3: "Cork"})

    assert after == versions(loading)


def test_older_interval_is_refused(loading: Loading) -> None:
    """A backfill of an older day is refused, also where the later one brought no change; a new table begins anew."""
    load(loading, 1, {1: "Oslo"})
    load(loading, 3, {1: "Oslo"})
    before = loading.warehouse.rows("mart.customers")

    with pytest.raises(DataError) as caught:
        load(loading, 2, {1: "Bergen"})

    assert str(caught.value) == (
        "load.customers: mart.customers has been loaded up to 2024-03-03 00:00, after the interval 2024-03-02. "
        "History grows in the order of time: load the latest interval, or drop the table and load all in order."
    )
    assert loading.warehouse.rows("mart.customers") == before
    loading.warehouse.sql("drop table mart.customers")
    load(loading, 1, {1: "Oslo"})
    load(loading, 2, {1: "Bergen"})
    assert versions(loading) == [(1, "Oslo", 1, 2, False), (1, "Bergen", 2, None, True)]


def test_missing_rows_are_closed_and_come_back(loading: Loading) -> None:
    """With `delete: missing` a row that the dataset lacks is closed; when it comes back, a version begins."""
    whole = {**CUSTOMERS, "delete": "missing"}
    load(loading, 1, {1: "Oslo", 2: "Rome"}, whole)

    closed = load(loading, 2, {1: "Oslo"}, whole)
    again = load(loading, 2, {1: "Oslo"}, whole)
    load(loading, 3, {1: "Oslo", 2: "Rome"}, whole)

    assert (closed.rows_updated, again.rows_updated) == (1, 0)
    assert versions(loading) == [(1, "Oslo", 1, None, True), (2, "Rome", 1, 2, False), (2, "Rome", 3, None, True)]


def test_row_closed_by_mistake_is_open_again(loading: Loading) -> None:
    """An interval that lacked a row, loaded again with it, leaves no trace of that."""
    whole = {**CUSTOMERS, "delete": "missing"}
    load(loading, 1, {1: "Oslo", 2: "Rome"}, whole)
    load(loading, 2, {1: "Oslo"}, whole)

    load(loading, 2, {1: "Oslo", 2: "Rome"}, whole)

    assert versions(loading) == [(1, "Oslo", 1, None, True), (2, "Rome", 1, None, True)]


def test_flagged_rows_are_closed(loading: Loading) -> None:
    """A row that a column marks as gone is closed; the column itself is not stored."""
    flagged = {**CUSTOMERS, "delete": "gone"}
    load(loading, 1, {1: "Oslo", 2: "Rome"}, flagged, gone=pa.array([False, None]))

    for _ in range(2):
        load(loading, 2, {1: "Oslo", 2: "Rome"}, flagged, gone=pa.array([False, True]))

    assert versions(loading) == [(1, "Oslo", 1, None, True), (2, "Rome", 1, 2, False)]


def test_a_key_has_one_current_version(loading: Loading) -> None:
    """The table's key and index say so."""
    load(loading, 1, {1: "Oslo"})

    found = loading.warehouse.sql("select indexdef from pg_indexes where tablename = 'customers' order by indexname")
    assert found == [
        ("CREATE UNIQUE INDEX customers_id_idx ON mart.customers USING btree (id) WHERE is_current",),
        ("CREATE UNIQUE INDEX customers_pkey ON mart.customers USING btree (id, valid_from)",),
    ]


def test_names_of_the_mode_are_taken(loading: Loading) -> None:
    """A dataset's column cannot have the name of one that the mode keeps."""
    with pytest.raises(SpecError, match="mode 'history' has a column of the name 'valid_to' of its own"):
        load(loading, 1, {1: "Oslo"}, valid_to=pa.array([1]))
