"""Mode replace makes the table the dataset, under the eyes of its readers."""

import psycopg
import pyarrow as pa
import pytest

from etl_contract import SpecError, Watermark
from etl_load._load import load_into
from tests.load.warehouse import Loading

PRICES = {"table": "prices", "mode": "replace"}


def prices(*values: int) -> pa.Table:
    """Make a row for each price."""
    return pa.table({"price": pa.array(values, pa.int64())})


def test_table_is_what_the_dataset_is(loading: Loading) -> None:
    """All rows of before are gone, all of the dataset are there, and both are counted."""
    loading.load("prices", prices(1, 2, 3), PRICES)

    (load,) = loading.load("prices", prices(3, 3), PRICES, run_id="next").loads

    assert (load.rows_inserted, load.rows_deleted) == (2, 3)
    assert loading.warehouse.rows("mart.prices") == ["(3)", "(3)"]


def test_what_people_made_of_the_table_stays(loading: Loading) -> None:
    """Views, grants, indexes, comments and triggers outlive a replacement: it is the same table."""
    loading.load("prices", prices(1), PRICES)
    loading.warehouse.sql("""
        create view mart.view_prices as select price * 2 as twice from mart.prices;
        create index on mart.prices (price);
        comment on column mart.prices.price is 'In euros';
        grant select on mart.prices to airflow
    """)
    about = """select (select array_agg(indexdef) from pg_indexes where tablename = 'prices'), relacl::text, oid,
                      col_description(oid, 1) from pg_class where relname = 'prices'"""
    before = loading.warehouse.sql(about)

    loading.load("prices", prices(4), PRICES, run_id="next")

    assert loading.warehouse.sql(about) == before
    assert loading.warehouse.rows("mart.view_prices") == ["(8)"]


def test_readers_see_the_old_rows_or_the_new(loading: Loading) -> None:
    """A snapshot from before still holds all old rows after a replacement, and no reader waits for one under way."""
    loading.load("prices", prices(1, 2), PRICES)
    task = loading.task({"prices": (prices(3), PRICES)}, run_id="next")
    with (
        psycopg.connect(loading.warehouse.uri("report")) as snapshot,
        psycopg.connect(loading.warehouse.uri("report"), autocommit=True, options="-c lock_timeout=1s") as reader,
    ):
        snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot.execute("select 1 from pg_class limit 1")  # takes the snapshot
        with loading.warehouse.holding("lock table etl.loads in exclusive mode"), loading.start(task):
            loading.warehouse.until("select 1 from pg_locks where relation = 'etl.loads'::regclass and not granted")
            during = reader.execute("select array_agg(price order by price) from mart.prices").fetchall()
        load_into(loading.warehouse.uri(), task)

        assert during == [([1, 2],)]
        assert snapshot.execute("select array_agg(price order by price) from mart.prices").fetchall() == [([1, 2],)]
        assert reader.execute("select array_agg(price) from mart.prices").fetchall() == [([3],)]


def test_rows_since_the_last_run_are_not_all_rows(loading: Loading) -> None:
    """A table is not replaced by what a cursor gives: the rows before it would be lost."""
    mark = Watermark(source="prices", field="id", value="7", cursor=True)
    task = loading.task({"prices": (prices(1), PRICES)}).model_copy(update={"watermarks": (mark,)})

    with pytest.raises(SpecError) as caught:
        load_into(loading.warehouse.uri(), task)

    assert str(caught.value) == (
        "load.prices.mode: mode 'replace' needs all rows, but a cursor gives only those since the last run. "
        "Load with mode 'upsert' or 'append', or read the source without 'cursor'."
    )
