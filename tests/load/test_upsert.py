"""Mode upsert updates rows by their key, inserts new ones, and touches nothing else."""

from datetime import date

import pyarrow as pa
import pytest

from etl_contract import DataError, SpecError
from tests.load.warehouse import Loading

BY_KEY = {"table": "delays", "mode": "upsert", "key": ["day", "origin"]}
DAY = date(2024, 3, 1)


def delays(*rows: tuple[str | None, float | None], day: date = DAY) -> pa.Table:
    """Make a row of delay for each origin."""
    return pa.table(
        {
            "day": pa.array([day] * len(rows), pa.date32()),
            "origin": pa.array([origin for origin, _ in rows], pa.string()),
            "delay": pa.array([delay for _, delay in rows], pa.float64()),
        }
    )


def test_only_rows_that_differ_are_written(loading: Loading) -> None:
    """A changed row is updated, a new one inserted, an equal one stays the same physical row; all are counted."""
    loading.load("delays", delays(("JFK", 1.5), ("LGA", None), ("EWR", 3.0)), BY_KEY)
    lga = loading.warehouse.sql("select ctid, xmin from mart.delays where origin = 'LGA'")

    (load,) = loading.load("delays", delays(("JFK", None), ("LGA", None), ("BOS", 4.0)), BY_KEY, run_id="again").loads

    assert (load.rows_staged, load.rows_inserted, load.rows_updated, load.rows_deleted) == (3, 1, 1, 0)
    assert loading.warehouse.sql("select ctid, xmin from mart.delays where origin = 'LGA'") == lga
    assert loading.warehouse.rows("mart.delays") == [
        "(2024-03-01,BOS,4)",
        "(2024-03-01,EWR,3)",
        "(2024-03-01,JFK,)",
        "(2024-03-01,LGA,)",
    ]


def test_new_table_has_the_key(loading: Loading) -> None:
    """The key is the new table's primary key, in the author's order."""
    loading.load("delays", delays(("JFK", 1.5)), BY_KEY)

    found = loading.warehouse.sql("select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'p' "
                                  "and conrelid = 'mart.delays'::regclass")  # fmt: skip
    assert found == [("delays_pkey", "PRIMARY KEY (day, origin)")]


def test_rows_that_are_all_key_are_only_inserted(loading: Loading) -> None:
    """A table of nothing but its key takes what is new."""
    rows = delays(("JFK", 1.5), ("LGA", 2.0)).select(["day", "origin"])
    loading.load("delays", rows.slice(0, 1), BY_KEY)

    (load,) = loading.load("delays", rows, BY_KEY, run_id="again").loads

    assert (load.rows_inserted, load.rows_updated) == (1, 0)


def test_column_of_missing_values_clears_the_column(loading: Loading) -> None:
    """A column in which this run has no value, and so no type, becomes null in the rows of this run."""
    loading.load("delays", delays(("JFK", 1.5), ("LGA", 2.0)), BY_KEY)
    nothing = delays(("JFK", None)).set_column(2, "delay", pa.nulls(1))

    (load,) = loading.load("delays", nothing, BY_KEY, run_id="again").loads

    assert load.rows_updated == 1
    assert loading.warehouse.rows("mart.delays") == ["(2024-03-01,JFK,)", "(2024-03-01,LGA,2)"]


def test_keys_that_are_there_twice_are_refused(loading: Loading) -> None:
    """Duplicates are listed, the worst first, at most five."""
    origins = ["JFK"] * 3 + [letter for letter in "abcdef" for _ in range(2)] + ["LGA"]

    with pytest.raises(DataError) as caught:
        loading.load("delays", delays(*[(origin, 1.0) for origin in origins]), BY_KEY)

    assert str(caught.value) == (
        "load.delays.key (day, origin): 7 keys are there more than once: (2024-03-01, JFK) 3 times, "
        "(2024-03-01, a) 2 times, (2024-03-01, b) 2 times, (2024-03-01, c) 2 times, (2024-03-01, d) 2 times "
        "and 2 more. "
        "Keep one row a key in the transform, or add the column that tells them apart to the key."
    )
    assert loading.warehouse.staging() == []


def test_missing_keys_are_refused(loading: Loading) -> None:
    """A row without its key is refused, whether some have none or all."""
    with pytest.raises(DataError, match=r"load\.delays, column 'origin': missing in 2 of 3 rows\. A key names a row"):
        loading.load("delays", delays(("JFK", 1.0), (None, 2.0), (None, 3.0)), BY_KEY)

    untyped = delays(("JFK", 1.0)).set_column(1, "origin", pa.nulls(1))
    with pytest.raises(DataError, match="'origin' is missing in all 1 rows"):
        loading.load("delays", untyped, BY_KEY)


def test_key_must_be_there(loading: Loading) -> None:
    """A key that the dataset lacks is refused, with the columns it has."""
    with pytest.raises(SpecError, match=r"load\.delays\.key: there is no column 'carrier'.*has: day, origin, delay"):
        loading.load("delays", delays(("JFK", 1.0)), {**BY_KEY, "key": ["day", "carrier"]})


def test_existing_table_must_be_unique_by_the_key(loading: Loading) -> None:
    """A table whose key is another one is refused, with the keys it has."""
    loading.load("delays", delays(("JFK", 1.0)), BY_KEY)

    with pytest.raises(SpecError) as caught:
        loading.load("delays", delays(("JFK", 1.0)), {**BY_KEY, "key": ["origin"]}, run_id="again")

    assert str(caught.value) == (
        "load.delays.key: (origin) is not unique in mart.delays. "
        "Name the key of the table, or create a unique index on (origin). Its keys: (day, origin)."
    )
