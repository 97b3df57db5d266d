"""Rows of a database whose kind has no reading of its own: what a driver gives decides, and nothing is cut to fit."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from etl_contract import DataError
from etl_contract.parquet import BATCH_ROWS
from etl_extract._database import batches
from etl_extract._dialects import Other
from etl_extract._inferred import INFERRED


def _read(url: str, query: str) -> pa.Table:
    with (
        sa.create_engine(url, poolclass=sa.NullPool).connect() as connection,
        Other(connection, INFERRED).rows(sa.text(query), "extract.orders.query") as rows,
    ):
        return pa.Table.from_batches(rows.batches, rows.schema)


def _postgres(uri: str, query: str) -> pa.Table:
    return _read(uri.replace("postgresql://", "postgresql+psycopg://"), query)


def _sqlite(*values: str, times: int = 1) -> pa.Table:
    """Read values of any kinds in one column, the first of them so many times."""
    first, *others = values
    count = f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {times})"  # noqa: S608 - our own
    return _read("sqlite://", " union all select ".join([f"{count} select {first} as value from n", *others]))  # noqa: S608


@pytest.mark.parametrize(
    ("value", "arrow", "exact"),
    [
        ("9007199254740993::bigint", pa.int64(), 9_007_199_254_740_993),
        ("0.1::float8", pa.float64(), 0.1),
        ("true", pa.bool_(), True),
        ("123456789012345678.12::numeric", pa.decimal128(38, 10), Decimal("123456789012345678.12")),
        ("'é'::text", pa.string(), "é"),
        (r"'\x00ff'::bytea", pa.binary(), b"\x00\xff"),
        ("'2026-02-28'::date", pa.date32(), date(2026, 2, 28)),
        ("'23:59:59.999999'::time", pa.time64("us"), time(23, 59, 59, 999_999)),
        ("'2026-01-01 05:00'::timestamp", pa.timestamp("us"), datetime.fromisoformat("2026-01-01T05:00")),
        ("'2026-01-01 05:00+02'::timestamptz", pa.timestamp("us", "UTC"), datetime(2026, 1, 1, 3, tzinfo=UTC)),
        ("'36:00:00.000001'::interval", pa.duration("us"), timedelta(hours=36, microseconds=1)),
        (f"'{uuid.UUID(int=7)}'::uuid", pa.string(), str(uuid.UUID(int=7))),
        ("'{1,2}'::int[]", pa.list_(pa.int64()), [1, 2]),
        ("null::text", pa.string(), None),
        ("null::int", pa.null(), None),
    ],
)
def test_a_value_has_the_type_that_the_driver_gives(
    uri: str, source: psycopg.Connection, value: str, arrow: pa.DataType, exact: object
) -> None:
    """Also where the first row has none, and a column without any is of no type, unless it is described as text."""
    assert source
    query = f"select value from (values (1, null), (2, {value})) as given (i, value) order by i"  # noqa: S608 - our own

    table = _postgres(uri, query)

    assert table.schema.field("value").type == arrow
    assert table["value"].to_pylist() == [None, exact]


@pytest.mark.parametrize(
    ("values", "arrow", "exact"),
    [
        (["1", "2.75"], pa.float64(), [1.0, 2.75]),
        (["9007199254740993", "1.5"], pa.string(), ["9007199254740993", "1.5"]),
        (["1", "'two'"], pa.string(), ["1", "two"]),
    ],
)
def test_values_of_two_kinds_have_the_type_that_holds_both(
    values: list[str], arrow: pa.DataType, exact: list[Any]
) -> None:
    """No digit is lost for it."""
    table = _sqlite(*values)

    assert table.schema.field("value").type == arrow
    assert table["value"].to_pylist() == exact


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["1", "2.75"], "a value is no int64: '2.75' is of type float"),
        (["'a'", "x'62'"], "a value is no string: 'b'b'' is of type bytes"),
        (["x'61'", "'b'"], "a value is no binary: 'b' is of type str"),
        (["null", "5"], r"a value is no null: '5' comes after 65\d{3} rows without any, as only text may"),
    ],
)
def test_a_later_value_of_another_kind_is_told(values: list[str], problem: str) -> None:
    """It comes when the first rows have decided, and is not cut to what they are."""
    with pytest.raises(DataError, match=f"extract.orders, column value: {problem}.*Cast the column in a query"):
        _sqlite(*values, times=BATCH_ROWS)


EIGHT = datetime.fromisoformat("2026-01-01T08:00")


@pytest.mark.parametrize(
    ("arrow", "value", "problem"),
    [
        (pa.int64(), Decimal("2.5"), "'2.5' is of type Decimal"),
        (pa.float64(), Decimal("2.5"), "'2.5' is of type Decimal"),
        (pa.date32(), EIGHT, "'2026-01-01 08:00:00' is of type datetime"),
        (pa.date32(), 7, "'7' is of type int"),
        (pa.timestamp("us"), EIGHT.replace(tzinfo=UTC), r"'2026-01-01 08:00:00\+00:00' has an offset"),
        (pa.timestamp("us", "UTC"), EIGHT, "'2026-01-01 08:00:00' has no offset"),
        (pa.time64("us"), time(8, tzinfo=UTC), r"'08:00:00\+00:00' has an offset"),
        (pa.duration("us"), 7, "'7' is of type int"),
        (pa.list_(pa.int64()), [1.5], r"'\[1.5\]' loses something"),
        (pa.struct({"a": pa.int64()}), {"a": 1, "b": 2}, "'{'a': 1, 'b': 2}' loses something"),
    ],
)
def test_what_arrow_would_cut_in_silence_is_told(arrow: pa.DataType, value: object, problem: str) -> None:
    """Of whatever a driver gives."""
    read = batches([[(None,), (value,)]], pa.schema([("odd", arrow)]), [lambda values: values], "extract.orders")

    with pytest.raises(DataError, match=f"extract.orders, column odd: a value is no .*: {problem}"):
        list(read)


def test_bytes_among_texts_are_told() -> None:
    """They are no text."""
    with pytest.raises(DataError, match="column value: a value is no string"):
        _sqlite("'a'", "x'62'")


def test_a_text_after_rows_without_any_is_read(uri: str, source: psycopg.Connection) -> None:
    """So a cast to text always helps."""
    assert source
    query = (
        f"select case when i > {BATCH_ROWS} then i::text end as value from generate_series(1, {BATCH_ROWS + 1}) as i"  # noqa: S608 - our own
    )

    assert _postgres(uri, query)["value"].to_pylist()[-1] == str(BATCH_ROWS + 1)


def test_a_result_without_rows_has_its_columns(uri: str, source: psycopg.Connection) -> None:
    """Nothing tells their types but what they are described as."""
    assert source

    table = _postgres(uri, "select 1 as number, 'a'::text as word where false")

    assert table.schema == pa.schema([("number", pa.null()), ("word", pa.string())])
