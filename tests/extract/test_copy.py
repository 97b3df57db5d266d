"""What COPY brings, exactly, and what it refuses."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from etl_contract import DataError, SpecError, SqlSource
from etl_extract._sql import SqlReader
from tests.extract.reading import sql_task


def _query(connections: Path, query: str) -> pa.Table:
    with SqlReader(sql_task(), connections) as reader:
        source = SqlSource(sql="source", query=query)
        with reader.rows("orders", source) as rows:
            return pa.Table.from_batches(rows.batches, rows.schema)


AS_TEXT = [
    ("'1 year 2 months 3 days 04:05:06.789'::interval", "1 year 2 mons 3 days 04:05:06.789"),
    ("""'{"n": 12345678901234567890.123456789}'::jsonb""", '{"n": 12345678901234567890.123456789}'),
    ("""'{"a": 1, "a": 1e400}'::json""", '{"a": 1, "a": 1e400}'),
    ("'[1,5)'::int4range", "[1,5)"),
    ("row(1, 'a,\"b')", '(1,"a,""b")'),
    ("'10:00+02'::timetz", "10:00:00+02"),
    ("B'0101'", "0101"),
    (r"'\.'::text", "\\."),
    ("'NULL'::text", "NULL"),
    ("E'a\\r\\nb'::text", "a\r\nb"),
    ("' '::text", " "),
    ("U&'\\feffa'::text", "\ufeffa"),
]


@pytest.mark.parametrize(("value", "text"), AS_TEXT)
def test_what_arrow_has_no_type_for_stays_its_text(
    connections: Path, source: psycopg.Connection, value: str, text: str
) -> None:
    """Months of an interval and digits in a document are kept, and a gap is not an empty text."""
    table = _query(connections, f"select {value} as value union all select null")

    assert table["value"].to_pylist() == [text, None]


def test_a_null_and_an_empty_text_stay_apart(connections: Path, source: psycopg.Connection) -> None:
    """Also where the row has no other column, and so is an empty line."""
    assert _query(connections, "values (''), (null), ('x')").to_pylist() == [
        {"column1": ""},
        {"column1": None},
        {"column1": "x"},
    ]


def test_a_row_may_be_longer_than_what_is_read_at_once(connections: Path, source: psycopg.Connection) -> None:
    """A text of 20 MB arrives whole, with the rows around it."""
    table = _query(connections, "values (1, 'a'), (2, repeat(E'é\n', 10000000)), (3, 'b')")

    assert [len(text) for text in table["column2"].to_pylist()] == [1, 20_000_000, 1]


@pytest.mark.parametrize("digits", ["99999999999999999999999999999999999999", "-0.01"])
def test_a_numeric_keeps_its_digits(connections: Path, source: psycopg.Connection, digits: str) -> None:
    """All 38 digits that a decimal has, and no float on the way."""
    scale = 2 if "." in digits else 0

    table = _query(connections, f"select {digits}::numeric(38,{scale}) as value")

    assert table["value"].to_pylist() == [Decimal(digits)]


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        ("9999999999999999999999999999.9999999999::numeric", Decimal("9999999999999999999999999999.9999999999")),
        ("-0.0000000001::numeric", Decimal("-0.0000000001")),
        (f"{'9' * 50}.25::numeric(52,2)", Decimal(f"{'9' * 50}.25")),
        (f"{'7' * 90}::numeric(90,0)", "7" * 90),
        ("123::numeric(5,-2)", Decimal(100)),
    ],
)
def test_a_long_numeric_arrives_whole(
    connections: Path, source: psycopg.Connection, value: str, exact: Decimal | str
) -> None:
    """Whatever its precision is, and whether it says one."""
    assert _query(connections, f"select {value} as value")["value"].to_pylist() == [exact]


@pytest.mark.parametrize("digits", range(29, 60))
def test_a_numeric_that_does_not_fit_is_refused(connections: Path, source: psycopg.Connection, digits: int) -> None:
    """Never is another number made of it."""
    with pytest.raises(DataError, match=r"extract\.orders, column odd: a value is no decimal128\(38, 10\)"):
        _query(connections, f"select {'8' * digits}::numeric as odd union all select {'3' * digits}.5")


@pytest.mark.parametrize(
    "value",
    ["'0044-03-15 BC'::date", "'NaN'::numeric", "'24:00'::time"],
)
def test_a_value_that_arrow_has_not_is_told_with_its_column(
    connections: Path, source: psycopg.Connection, value: str
) -> None:
    """It is neither a gap nor another value; the person decides in the query."""
    with pytest.raises(DataError, match=r"extract\.orders, column odd: a value is no .*Cast the column in a query"):
        _query(connections, f"select 1 as id, {value} as odd")


@pytest.mark.parametrize(
    "query",
    [
        "select 1; drop table orders",
        "select 1) to stdout; commit; drop table orders; --",
        "with gone as (delete from orders returning 1) select * from gone",
        "select * from orders; commit; delete from orders",
    ],
)
def test_a_query_can_only_read(connections: Path, source: psycopg.Connection, query: str) -> None:
    """Neither a second statement nor one that closes ours gets through."""
    source.execute("create table orders as select 1 as id")

    with pytest.raises(SpecError, match=r"extract\.orders"):
        _query(connections, query)

    assert source.execute("select count(*) from orders").fetchone() == (1,)


@pytest.mark.parametrize("end", ["-- a remark", ";", "\n;\n"])
def test_a_query_may_end_as_people_end_it(connections: Path, source: psycopg.Connection, end: str) -> None:
    """A remark or a semicolon after the query belongs to it, and a percent sign is one."""
    assert _query(connections, f'select 7 % 4 as "a%s \'b" where :start < :end {end}').to_pylist() == [{"a%s 'b": 3}]


def test_a_row_that_makes_the_query_fail_is_told(connections: Path, source: psycopg.Connection) -> None:
    """The failure comes after rows have been read, and is PostgreSQL's own message."""
    with pytest.raises(DataError, match=r"extract\.orders\.query: division by zero"):
        _query(connections, "select 1 / (150000 - i) from generate_series(1, 200000) as i")


def test_rows_that_nobody_wants_any_more_leave_the_connection_free(
    connections: Path, source: psycopg.Connection
) -> None:
    """A source that is given up in the middle does not spoil the next one of its connection."""
    endless = SqlSource(sql="source", query="select generate_series(1, 2000000000) as i, repeat('x', 1000)")
    with SqlReader(sql_task(), connections) as reader:
        with reader.rows("orders", endless) as rows:
            next(rows.batches)
        with reader.rows("next", SqlSource(sql="source", query="select 2 as two")) as rows:
            assert next(rows.batches).to_pylist() == [{"two": 2}]


@pytest.mark.parametrize(
    ("kind", "finite", "number"),
    [
        ("date", "2026-02-28", pa.int32()),
        ("timestamp", "2026-02-28 01:02:03.000004", pa.int64()),
        ("timestamptz", "2026-02-28 01:02:03.000004+00", pa.int64()),
    ],
)
def test_endless_times_arrive_as_the_ends_of_their_type(
    connections: Path, source: psycopg.Connection, kind: str, finite: str, number: pa.DataType
) -> None:
    """They stay greater and smaller than all others, as in DuckDB, and the others stay what they are."""
    values = f"('infinity'::{kind}), ('{finite}'), ('-infinity'), (null)"
    most = 2 ** (number.bit_width - 1) - 1
    plain = _query(connections, f"select '{finite}'::{kind} as at")

    table = _query(connections, f"select at from (values {values}) as given (at)")  # noqa: S608 - our own

    assert table.schema == plain.schema
    assert table["at"].cast(number).to_pylist() == [most, plain["at"].cast(number)[0].as_py(), -most, None]


def test_bytes_come_as_they_are(connections: Path, source: psycopg.Connection) -> None:
    """Also none, beside a text that looks like them."""
    query = r"select * from (values ('\x00ff0a'::bytea, '\x41'), ('', ''), (null, null)) as given (raw, text)"

    table = _query(connections, query)

    assert table["raw"].to_pylist() == [b"\x00\xff\n", b"", None]
    assert table["text"].to_pylist() == ["\\x41", "", None]


@pytest.mark.parametrize(("value", "text"), AS_TEXT)
def test_elements_that_arrow_has_no_type_for_stay_their_texts(
    connections: Path, source: psycopg.Connection, value: str, text: str
) -> None:
    """An array of them is a list of the very texts that they have in a column of their own."""
    table = _query(connections, f"select array[{value}, null, {value}] as value")

    assert table.schema.field("value").type == pa.list_(pa.string())
    assert table["value"].to_pylist() == [[text, None, text]]


def test_an_array_changes_no_other_column(connections: Path, source: psycopg.Connection) -> None:
    """Beside one, each text is what it is alone."""
    columns = ", ".join(f"{value} as v{index}" for index, (value, _) in enumerate(AS_TEXT))

    table = _query(connections, f"select {columns}, '{{1}}'::int[] as many")

    assert [column[0].as_py() for column in table.columns] == [*(text for _, text in AS_TEXT), [1]]


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("{}", []),
        ("{NULL}", [None]),
        ('{"NULL",null,nulls}', ["NULL", None, "nulls"]),
        ('{"",a}', ["", "a"]),
        (r'{"a,b","{c}","\"d\\\"",é}', ["a,b", "{c}", '"d\\"', "é"]),
        ('{"a\n\nb"," ","\r\n"}', ["a\n\nb", " ", "\r\n"]),
        ("[5:6]={a,b}", ["a", "b"]),
        ("{\ufeff,\ufeff}", ["\ufeff", "\ufeff"]),
    ],
)
def test_an_array_arrives_as_a_list(
    connections: Path, source: psycopg.Connection, text: str, elements: list[str | None]
) -> None:
    """Whatever its elements look like, between rows that have none and other ones."""
    source.execute("create table orders (id int, words text[])")
    rows = [(1, text), (2, None), (3, "{}"), (4, text), (5, '{x,"y z"}')]
    source.cursor().executemany("insert into orders values (%s, %s)", rows)

    table = _query(connections, "select words from orders order by id")

    assert table["words"].to_pylist() == [elements, None, [], elements, ["x", "y z"]]


def test_only_empty_arrays_are_lists(connections: Path, source: psycopg.Connection) -> None:
    """They have no element to be told by."""
    table = _query(connections, "select '{}'::numeric(5,2)[] as shares, null::int[] as counts")

    assert table.schema == pa.schema([("shares", pa.list_(pa.decimal128(5, 2))), ("counts", pa.list_(pa.int32()))])
    assert table.to_pylist() == [{"shares": [], "counts": None}]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("'{{1,2},{3,4}}'::int[]", r"a value is no list<item: int32>: \{\{1,2\},\{3,4\}\} is a list of lists"),
        ("'{1.5,NaN}'::numeric[]", r"a value is no decimal128\(38, 10\)"),
        ("array['0044-03-15 BC'::date]", r"a value is no date32\[day\]"),
    ],
)
def test_an_array_that_is_no_list_is_told_with_its_column(
    connections: Path, source: psycopg.Connection, value: str, problem: str
) -> None:
    """Neither its shape nor one of its elements is made another."""
    with pytest.raises(DataError, match=rf"extract\.orders, column odd: {problem}.*Cast the column in a query"):
        _query(connections, f"select 1 as id, {value} as odd")


def test_a_box_stays_its_text(connections: Path, source: psycopg.Connection) -> None:
    """Its array is the one whose elements no comma parts."""
    assert _query(connections, "select '{(1,1),(0,0);(3,3),(2,2)}'::box[] as value").to_pylist() == [
        {"value": "{(1,1),(0,0);(3,3),(2,2)}"}
    ]


def test_bytes_that_look_like_a_mark_of_encodings_stay(connections: Path, source: psycopg.Connection) -> None:
    """A text that begins with one is not a file that does."""
    table = _query(connections, "select U&'\\feff' || i as value from generate_series(1, 200000) as i")

    assert table["value"].to_pylist() == [f"\ufeff{number}" for number in range(1, 200_001)]


def test_what_a_database_is_set_to_changes_no_value(uri: str, connections: Path, source: psycopg.Connection) -> None:
    """Neither its own encoding nor how it would write bytes, dates and intervals."""
    source.execute("create database old encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
    for setting in ("bytea_output to escape", "datestyle to 'German'", "intervalstyle to 'iso_8601'"):
        source.execute(f"alter database old set {setting}")
    (connections / "source" / "uri").write_text(f"{uri.rpartition('/')[0]}/old")

    query = r"select 'Ã©é' as text, '\x61626364'::bytea as raw, '2026-02-28'::date as day, '1 day'::interval as span"

    assert _query(connections, query).to_pylist() == [
        {"text": "Ã©é", "raw": b"abcd", "day": date(2026, 2, 28), "span": "1 day"}
    ]
    source.execute("drop database old")
