"""Transforms in SQL: what they make of rows, and what they may not touch."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, Parameter, SpecError
from tests.transform.running import ORDERS, Stage

SCRIPT = """\
-- What each shop sells.
create macro euros(price) as round(price, 2);
create view sold as select * from orders where price is not null;
create temp table shops as select shop, sum(euros(price)) as sales from sold group by shop;

create table shop_sales as select * from shops;
create or replace table best as (select shop from shop_sales order by sales desc limit 1);
"""


def test_an_output_is_a_query_and_sees_those_before_it(stage: Stage) -> None:
    """Names of a mapping are the datasets; a later query reads an earlier one's rows."""
    result = stage.run(
        {
            "sql": {
                "paid": "select id, price from orders where price > 0",
                "paid_count": "select count(*) as n from paid;",
            }
        }
    )

    assert [dataset.name for dataset in result.datasets] == ["paid", "paid_count"]
    assert (result.rows_in, result.rows_out) == (3, 3)
    assert result.columns == {
        "paid": (("id", "int64"), ("price", "decimal128(10, 2)")),
        "paid_count": (("n", "int64"),),
    }
    assert stage.rows(result, "paid")["price"].to_pylist() == [Decimal("10.00"), Decimal("20.00")]
    assert stage.rows(result, "paid_count").to_pylist() == [{"n": 2}]


@pytest.mark.parametrize("inline", [True, False])
def test_statements_make_outputs_and_what_is_on_the_way(stage: Stage, inline: bool) -> None:  # noqa: FBT001
    """`create table` is an output; a temp table, a view and a macro are not; inline or in a file is the same."""
    result = stage.run({"sql": SCRIPT}) if inline else stage.run({"sql": "orders.sql"}, {"orders.sql": SCRIPT})

    assert [dataset.name for dataset in result.datasets] == ["shop_sales", "best"]
    assert stage.rows(result, "best").to_pylist() == [{"shop": "Lyon"}]


def test_an_output_may_replace_what_it_reads(stage: Stage) -> None:
    """A dataset of an extracted one's name takes its place; the extracted one stays for a retry."""
    first = stage.run({"sql": {"orders": "select * from orders where id > 1"}})
    again = stage.run({"sql": {"orders": "select * from orders where id > 1"}})

    assert stage.rows(first, "orders").num_rows == 2
    assert first.datasets == again.datasets


def test_names_are_bound_as_values(stage: Stage) -> None:
    """The interval and the parameters come typed; a text with a colon, a cast and a slice stay what they are."""
    stage.params = {
        "shop": Parameter(default="Paris' or 1=1 --", type="string"),
        "since": Parameter(default=date(2026, 1, 1), type="date"),
    }

    result = stage.query(
        """select :start as "start", :end as "end", :first_day as first_day, :last_day as last_day, :shop as shop,
                  :since + 1 as since, ':start' as text, '1'::int as cast, [1,2,3][1:2] as slice, {'a':1} as struct,
                  $start = :start as same /* :nothing */
           from orders where shop = :shop or id = 1 -- :nothing"""
    )

    assert result.to_pylist() == [
        {
            "start": datetime.fromisoformat("2026-01-01T05:00Z"),
            "end": datetime.fromisoformat("2026-01-02T05:00Z"),
            "first_day": date(2026, 1, 1),
            "last_day": date(2026, 1, 1),
            "shop": "Paris' or 1=1 --",
            "since": date(2026, 1, 2),
            "text": ":start",
            "cast": 1,
            "slice": [1, 2],
            "struct": {"a": 1},
            "same": True,
        }
    ]


def test_names_are_bound_in_views_and_macros_too(stage: Stage) -> None:
    """A helper may ask for the interval like a query."""
    script = """
        create view days as select :first_day as d;
        create macro later(n) as :first_day + n;
        create table x as select later(1) - d as n from days
    """

    assert stage.rows(stage.run({"sql": script}), "x")["n"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("expression", "arrow", "value"),
    [
        ("sum(id)", pa.decimal128(38, 0), Decimal(6)),
        ("170141183460469231731687303715884105727::hugeint // 10", pa.decimal128(38, 0), Decimal(2**127 // 10)),
        ("sum(price)", pa.decimal128(38, 2), Decimal("30.00")),
        ("9007199254740993", pa.int64(), 9007199254740993),
        (
            "12345678901234567890123456789012345678::decimal(38,0)",
            pa.decimal128(38, 0),
            Decimal(12345678901234567890123456789012345678),
        ),
        (
            "timestamptz '2026-11-01 01:30:00-04'",
            pa.timestamp("us", "UTC"),
            datetime.fromisoformat("2026-11-01T05:30Z"),
        ),
        ("timestamp '1066-10-14'", pa.timestamp("us"), datetime.fromisoformat("1066-10-14")),
        ("date '0001-01-01'", pa.date32(), date(1, 1, 1)),
        ("'a'::enum('a', 'b')", pa.string(), "a"),
        ("[1::hugeint, null]", pa.list_(pa.field("element", pa.decimal128(38, 0))), [Decimal(1), None]),
        (
            "{'n': 1::hugeint, 'b c': [time '10:00']}",
            None,
            {"n": Decimal(1), "b c": [datetime.fromisoformat("1066-10-14T10:00").time()]},
        ),
        ("map {'a': 1::hugeint}", None, [("a", Decimal(1))]),
        ("'10:00:00+02'::timetz", pa.string(), "10:00:00+02"),
        ("'\\xAA'::blob", pa.binary(), b"\xaa"),
        ("'{\"a\": 1}'::json", None, '{"a": 1}'),
        ("nullif(1, 1)", pa.int32(), None),
        ("'nan'::double is not null", pa.bool_(), True),
    ],
)
def test_a_value_is_stored_as_it_is(stage: Stage, expression: str, arrow: pa.DataType | None, value: Any) -> None:  # noqa: ANN401
    """No whole number becomes a float, and no type is made up: a sum is exact."""
    result = stage.query(f"select {expression} as value from orders limit 1")  # noqa: S608

    assert arrow in (None, result.schema.field("value").type)
    assert result["value"].to_pylist() == [value]


def test_an_interval_is_a_duration_on_both_ways(tmp_path: Path) -> None:
    """A duration is read as an interval, and an interval stored as a duration."""
    stage = Stage(
        tmp_path,
        waits=pa.table(
            {"wait": pa.array([90_000_000, None], pa.duration("us")), "short": pa.array([5, 1], pa.duration("s"))}
        ),
    )

    first = stage.run(
        {
            "sql": {
                "waits": "select wait + interval '1 day' as wait, short, 1 as n from waits",
                "again": "select wait from waits",
            }
        }
    )

    rows = stage.rows(first, "again")
    assert stage.rows(first, "waits").schema.field("short").type == pa.duration("us")
    assert rows.schema.field("wait").type == pa.duration("us")
    assert [wait and wait.total_seconds() for wait in rows["wait"].to_pylist()] == [86_490.0, None]


def test_an_interval_of_months_is_no_duration(stage: Stage) -> None:
    """A month has no fixed length, and is not taken for thirty days."""
    with pytest.raises(DataError, match="an interval of months or years has no fixed length"):
        stage.query("select interval '1 month' * id as x from orders")


@pytest.mark.parametrize("type_", ["variant", "union(a integer)"])
def test_a_type_that_no_table_has_is_told(stage: Stage, type_: str) -> None:
    """It is told before any row is read."""
    with pytest.raises(SpecError, match="column x is of type"):
        stage.query(f"select 1::{type_} as x from orders")  # noqa: S608


def test_more_digits_than_the_database_has_are_no_float(tmp_path: Path) -> None:
    """DuckDB would read such a decimal as a float; that is told instead."""
    stage = Stage(tmp_path, sums=pa.table({"total": pa.array([Decimal(10) ** 50], pa.decimal256(60, 0))}))

    with pytest.raises(SpecError, match=r"sums\.total has up to 60 digits"):
        stage.query("select * from sums")


def test_no_rows_are_an_output_too(stage: Stage) -> None:
    """An empty day has its columns."""
    result = stage.query("select * from orders where false")

    assert result.num_rows == 0
    assert result.schema.names == ORDERS.schema.names


def test_steps_run_in_order_and_the_last_word_wins(stage: Stage) -> None:
    """SQL and pandas see what was extracted, and what steps before them made, and may make that anew."""
    twin = (
        "def clean(paid, orders, params):\n"
        "    return {'paid': paid.assign(n=len(orders) + params['more']), 'ids': paid[['id']]}\n"
    )
    stage.params = {"more": Parameter(default=1, type="integer")}

    result = stage.run(
        [
            {"sql": {"paid": "select * from orders where price > 0"}},
            {"pandas": "orders.py:clean"},
            {"sql": "create table total as select sum(n) as n from paid"},
        ],
        {"orders.py": twin},
    )

    assert [dataset.name for dataset in result.datasets] == ["paid", "ids", "total"]
    assert stage.rows(result, "paid")["n"].to_pylist() == [4, 4]
    assert stage.rows(result, "total")["n"].to_pylist() == [Decimal(8)]
    assert result.rows_in == 3


@pytest.mark.parametrize(
    "reach",
    [
        "from read_csv('/etc/passwd')",
        "from read_text('/etc/passwd')",
        "from '/etc/passwd'",
        "from glob('/*')",
        "from read_parquet('{folder}/../secret.parquet')",
        "from 'https://example.org/x.csv'",
        "select getenv('HOME')",
    ],
)
def test_sql_reaches_no_file_but_the_runs(stage: Stage, tmp_path: Path, reach: str) -> None:
    """What the container may see, an author's SQL may not."""
    with pytest.raises(SpecError) as error:
        stage.query(reach.replace("{folder}", str(tmp_path)))

    assert "file system operations are disabled" in str(error.value) or "does not exist" in str(error.value)


def test_nothing_is_left_but_the_datasets(stage: Stage, tmp_path: Path) -> None:
    """What was spilled or half written is gone, also what a killed try left, and also after a failure."""
    spill = tmp_path / "transform" / ".spill"
    spill.mkdir(parents=True)
    (spill / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows of a killed try")

    stage.run({"sql": {"a": "from orders"}})
    with pytest.raises(DataError):
        stage.run({"sql": {"b": "select shop::int from orders"}})

    assert [path.name for path in (tmp_path / "transform").iterdir()] == ["a.parquet"]


def test_a_changed_input_is_not_read(stage: Stage, tmp_path: Path) -> None:
    """The checksum is verified before a query reads a row."""
    file = tmp_path / "extract" / "orders.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)

    with pytest.raises(DataError, match="checksum"):
        stage.query("from orders")
    assert stage.query("select 1 as a").num_rows == 1  # what no query names, is not read
