"""Every Arrow type arrives in a column of the matching type, and no value changes."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_contract import DataError
from etl_load import _cells
from etl_load._columns import columns_of, kind_of
from tests.load.warehouse import Loading, Warehouse

BY_ID = {"table": "mart.t", "mode": "upsert", "key": ["id"]}
NAN, INFINITY = float("nan"), float("inf")
naive = datetime.fromisoformat
PLACE = {"lat": 40.64, "tags": ["é", None], "seen": date(2024, 2, 29), "raw": b"\x00\xff", "code": Decimal("1.50")}
PLACE_TYPE = pa.struct(
    {
        "lat": pa.float64(),
        "tags": pa.list_(pa.string()),
        "seen": pa.date32(),
        "raw": pa.binary(),
        "code": pa.decimal128(5, 2),
    }
)
PLACE_TEXT = '{"lat": 40.64, "raw": "\\\\x00ff", "code": "1.50", "seen": "2024-02-29", "tags": ["é", null]}'

# Arrow's type, PostgreSQL's type, and for each value the text that PostgreSQL prints.
CASES: list[tuple[pa.DataType, str, dict[Any, str] | list[tuple[Any, str]]]] = [
    (pa.bool_(), "boolean", {True: "true", False: "false"}),
    (pa.int8(), "smallint", {-128: "-128", 127: "127"}),
    (pa.int16(), "smallint", {-32768: "-32768", 32767: "32767"}),
    (pa.int32(), "integer", {-(2**31): "-2147483648", 2**31 - 1: "2147483647"}),
    (pa.int64(), "bigint", {-(2**63): "-9223372036854775808", 2**63 - 1: "9223372036854775807", 0: "0"}),
    (pa.uint8(), "smallint", {255: "255"}),
    (pa.uint16(), "integer", {65535: "65535"}),
    (pa.uint32(), "bigint", {2**32 - 1: "4294967295"}),
    (pa.uint64(), "numeric(20,0)", {2**64 - 1: "18446744073709551615", 7: "7"}),
    (pa.float16(), "real", {1.5: "1.5"}),
    (pa.float32(), "real", {0.1: "0.1", NAN: "NaN", -INFINITY: "-Infinity"}),
    (pa.float64(), "double precision", {0.1: "0.1", 5e-324: "5e-324", -0.0: "-0", NAN: "NaN", INFINITY: "Infinity"}),
    (
        pa.string(),
        "text",
        {
            s: s
            for s in ("", " ", "NULL", "\\N", "\\.", 'a "b"', "a,b;c\td", "x\ny\r\nz", "back\\slash", "Zoë ☃ 𝄞", "'")
        },
    ),
    (pa.large_string(), "text", {"": "", "é": "é"}),
    (pa.string_view(), "text", {"": "", "longer than twelve bytes": "longer than twelve bytes"}),
    (pa.dictionary(pa.int32(), pa.string()), "text", {"": "", "JFK": "JFK"}),
    (pa.binary(), "bytea", {b"": "\\x", b"\x00\xff\n": "\\x00ff0a"}),
    (pa.binary(2), "bytea", {b"\x00\x01": "\\x0001"}),
    (
        pa.date32(),
        "date",
        {
            date(1, 1, 1): "0001-01-01",
            date(1999, 12, 31): "1999-12-31",
            date(2024, 2, 29): "2024-02-29",
            date(9999, 12, 31): "9999-12-31",
        },
    ),
    (pa.date64(), "date", {date(2024, 2, 29): "2024-02-29"}),
    (pa.timestamp("s"), "timestamp without time zone", {naive("1970-01-01"): "1970-01-01 00:00:00"}),
    (
        pa.timestamp("us"),
        "timestamp without time zone",
        {
            naive("0001-01-01"): "0001-01-01 00:00:00",
            naive("2024-02-29 01:02:03.456789"): "2024-02-29 01:02:03.456789",
        },
    ),
    (
        pa.timestamp("ns"),
        "timestamp without time zone",
        {naive("2024-01-01 00:00:00.000001"): "2024-01-01 00:00:00.000001"},
    ),
    (
        pa.timestamp("us", "America/New_York"),
        "timestamp with time zone",
        {datetime(2024, 3, 10, 6, 59, 59, tzinfo=UTC): "2024-03-10 06:59:59+00"},
    ),
    (pa.time32("s"), "time without time zone", {time(23, 59, 59): "23:59:59"}),
    (pa.time64("us"), "time without time zone", {time(0): "00:00:00", time(1, 2, 3, 4): "01:02:03.000004"}),
    (pa.duration("s"), "interval", {timedelta(days=1, seconds=1): "24:00:01", timedelta(0): "00:00:00"}),
    (
        pa.decimal128(10, 2),
        "numeric(10,2)",
        {
            Decimal("0.00"): "0.00",
            Decimal("-0.01"): "-0.01",
            Decimal("12345678.90"): "12345678.90",
            Decimal("10000.00"): "10000.00",
        },
    ),
    (pa.decimal128(5, 5), "numeric(5,5)", {Decimal("0.00001"): "0.00001"}),
    (
        pa.decimal128(38, 10),
        "numeric(38,10)",
        {Decimal("-1234567890123456789012345678.0123456789"): "-1234567890123456789012345678.0123456789"},
    ),
    (pa.decimal128(30, 10), "numeric(30,10)", {Decimal("1.5"): "1.5000000000"}),
    (pa.decimal256(76, 0), "numeric(76,0)", {Decimal(10**75): "1" + "0" * 75}),
    (pa.uuid(), "uuid", {UUID(int=1).bytes: "00000000-0000-0000-0000-000000000001"}),
    (pa.json_(), "jsonb", {'{"a": 1.10}': '{"a": 1.10}', "null": "null"}),
    (pa.list_(pa.int64()), "bigint[]", [([1, None, -3], "{1,NULL,-3}"), ([], "{}")]),
    (pa.large_list(pa.string()), "text[]", [(["a", 'b "c"', "", None], '{a,"b \\"c\\"","",NULL}')]),
    (pa.list_(pa.decimal128(4, 1)), "numeric(4,1)[]", [([Decimal("1.5")], "{1.5}")]),
    (
        pa.list_(pa.timestamp("us"), 1),
        "timestamp without time zone[]",
        [([naive("2024-01-01")], '{"2024-01-01 00:00:00"}')],
    ),
    (pa.list_(pa.list_(pa.int8())), "jsonb", [([[1], None, []], "[[1], null, []]")]),
    (PLACE_TYPE, "jsonb", [(PLACE, PLACE_TEXT)]),
    (pa.map_(pa.string(), pa.int64()), "jsonb", [([("b", 1), ("a", 2)], '{"a": 2, "b": 1}')]),
]


@pytest.mark.parametrize(("arrow", "postgres", "values"), CASES, ids=[f"{case[0]}"[:40] for case in CASES])
def test_value_arrives_as_it_is(loading: Loading, arrow: pa.DataType, postgres: str, values: Any) -> None:  # noqa: ANN401
    """A value, a missing value and the column's type arrive exactly, whatever the Arrow type."""
    pairs = list(values.items() if isinstance(values, dict) else values)
    storage = arrow.storage_type if isinstance(arrow, pa.BaseExtensionType) else arrow
    given_values = pa.array([None, *(value for value, _ in pairs), None], storage)
    array = pa.ExtensionArray.from_storage(arrow, given_values) if storage is not arrow else given_values
    rows = pa.table({"id": range(len(array)), "v": array})

    loading.load("t", rows, BY_ID)

    found = loading.warehouse.sql("select v::text from mart.t order by id")
    assert [text for (text,) in found] == [None, *(text for _, text in pairs), None]
    types = loading.warehouse.sql(
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'mart.t'::regclass and attname = 'v'"
    )
    assert types == [(postgres,)]


MICROSECONDS = st.datetimes(naive("0001-01-01"), naive("9999-12-31"))
PROPERTIES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.string(): st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    pa.binary(): st.binary(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): MICROSECONDS,
    pa.decimal128(14, 3): st.decimals(-(10**11) + 1, 10**11 - 1, places=3, allow_nan=False),
    pa.decimal128(38, 9): st.decimals(-(10**29) + 1, 10**29 - 1, places=9, allow_nan=False),
    pa.list_(pa.int32()): st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=5),
}


@pytest.mark.parametrize("arrow", PROPERTIES, ids=str)
def test_encoding_is_read_back_as_it_was(server: Warehouse, arrow: pa.DataType) -> None:
    """Whatever the values, the slices and the missing ones: what PostgreSQL reads is what Arrow held."""
    kind = kind_of(arrow)
    assert kind is not None
    with psycopg.connect(server.uri("postgres"), autocommit=True) as connection:
        name = kind.sql.compile(dialect=_dialect())
        connection.execute(f"create temporary table t (id serial, v {name})")

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.none() | PROPERTIES[arrow], max_size=20), st.integers(0, 3))
        def check(values: list[Any], skipped: int) -> None:
            array = pa.array(values, arrow).slice(skipped)
            connection.execute("truncate t")
            with connection.cursor().copy("copy t (v) from stdin (format binary)") as copy:
                copy.write(_cells.SIGNATURE)
                if len(array):
                    copy.write(memoryview(_cells.rows(_cells.row_start(1), [kind.encode(array)])))
                copy.write(_cells.TRAILER)
            found = [value for (value,) in connection.execute("select v from t order by id", binary=True)]
            assert found == array.to_pylist()

        check()


@pytest.mark.parametrize(
    ("arrow", "number"),
    [
        (pa.date32(), pa.int32()),
        (pa.timestamp("us"), pa.int64()),
        (pa.timestamp("us", "UTC"), pa.int64()),
        (pa.timestamp("ns"), pa.int64()),
    ],
)
def test_the_ends_of_a_type_are_infinity(loading: Loading, arrow: pa.DataType, number: pa.DataType) -> None:
    """Endless times come out as they went in, beside others and gaps."""
    most = 2 ** (number.bit_width - 1) - 1
    at = pa.array([most, 0, -most, None], number).cast(arrow)

    loading.load("t", pa.table({"id": [1, 2, 3, 4], "at": at}), BY_ID)

    found = loading.warehouse.sql("select at::text, isfinite(at) from mart.t order by id")
    assert [found[0], found[2], found[3]] == [("infinity", False), ("-infinity", False), (None, None)]
    assert str(found[1][0]).startswith("1970-01-01")


def test_nanoseconds_are_not_lost_in_silence(loading: Loading) -> None:
    """A timestamp that PostgreSQL would round fails, and says which row holds it."""
    rows = pa.table({"id": range(9000), "at": pa.array([0] * 8999 + [1_700_000_000_000_000_001], pa.timestamp("ns"))})

    with pytest.raises(DataError) as caught:
        loading.load("t", rows, BY_ID)

    assert caught.value.where == "load.t, row 9000, column 'at'"
    assert "1700000000000000001" in caught.value.problem
    assert loading.warehouse.staging() == []


@pytest.mark.parametrize(
    ("values", "value", "reason"),
    [
        (pa.array(["fine", "N1\x004"]), "'N1\\x004'", 'invalid byte sequence for encoding "UTF8": 0x00'),
        (pa.array([["fine"], ["N1\x004"]]), "['N1\\x004']", 'invalid byte sequence for encoding "UTF8": 0x00'),
        (pa.array([{"a": "b"}, {"a": "\0"}]), "{'a': '\\x00'}", "unsupported Unicode escape sequence"),
        (pa.array([{"a": 1.0}, {"a": NAN}]), "{'a': nan}", "Out of range float values are not JSON compliant"),
    ],
)
def test_impossible_value_is_shown_with_its_place(loading: Loading, values: pa.Array, value: str, reason: str) -> None:
    """A value that PostgreSQL cannot hold fails the load, by dataset, row, column and value."""
    with pytest.raises(DataError) as caught:
        loading.load("t", pa.table({"id": [1, 2], "v": values}), BY_ID)

    assert caught.value.where == "load.t, row 2, column 'v'"
    assert value in caught.value.problem
    assert reason in caught.value.problem
    assert caught.value.hint


def test_type_without_a_match_is_refused() -> None:
    """A type that PostgreSQL does not have is named with its column; nothing is guessed."""
    schema = pa.schema({"id": pa.int64(), "v": pa.month_day_nano_interval()})

    _, problems = columns_of(schema, "load.t")

    (problem,) = problems
    assert str(problem) == (
        "load.t: column 'v' is of type month_day_nano_interval. "
        "Convert it in the transform to a type that PostgreSQL has, such as text."
    )


def test_wide_rows_are_read_a_few_at_a_time(loading: Loading) -> None:
    """Rows of a megabyte each are loaded in memory for a few of them, also where Parquet stores the value once."""
    rows = pa.table({"id": range(60), "v": ["x" * 1_000_000] * 60})

    result = loading.load("t", rows, BY_ID)

    assert result.bytes_out > 60_000_000
    assert loading.warehouse.sql("select count(*), sum(length(v)) from mart.t") == [(60, 60_000_000)]


def test_json_text_stays_what_it_was(loading: Loading) -> None:
    """Numbers in JSON keep every digit."""
    text = '{"big": 123456789012345678901234567890.5, "list": [1.0, null]}'
    rows = pa.table({"id": [1], "v": pa.ExtensionArray.from_storage(pa.json_(), pa.array([text]))})

    loading.load("t", rows, BY_ID)

    assert loading.warehouse.sql("select v::text from mart.t") == [(text,)]
    assert json.loads(text)


def _dialect() -> Any:  # noqa: ANN401 - SQLAlchemy's
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - only here

    return postgresql.dialect()
