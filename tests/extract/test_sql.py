"""Rows of a real PostgreSQL on their way into Arrow."""

import json
import math
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from pydantic import ValidationError

from etl_contract import DataError, SpecError, SqlSource, Unavailable
from etl_extract._sql import SqlReader
from tests.extract.reading import NOVEMBER_1, sql_task


def _read(connections: Path, source: SqlSource) -> pa.Table:
    with SqlReader(sql_task(), connections) as reader, reader.rows("orders", source) as rows:
        return pa.Table.from_batches(rows.batches, rows.schema)


def _query(connections: Path, query: str) -> pa.Table:
    return _read(connections, SqlSource(sql="source", query=query))


UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


VALUES = [
    ("'9007199254740993'::bigint", pa.int64(), 9_007_199_254_740_993),
    ("'32767'::smallint", pa.int16(), 32767),
    ("'-2147483648'::int", pa.int32(), -2_147_483_648),
    ("'0.1'::float8", pa.float64(), 0.1),
    ("'-infinity'::float8", pa.float64(), -math.inf),
    ("'1.5'::float4", pa.float32(), 1.5),
    ("'123456789012345678.12'::numeric(20,2)", pa.decimal128(20, 2), Decimal("123456789012345678.12")),
    ("'true'::bool", pa.bool_(), True),
    ("'é\n''\"'::text", pa.string(), "é\n'\""),
    ("''::varchar", pa.string(), ""),
    ("'2026-02-28'::date", pa.date32(), date(2026, 2, 28)),
    ("'23:59:59.999999'::time", pa.time64("us"), time(23, 59, 59, 999999)),
    ("'2026-01-01 00:00'::timestamp", pa.timestamp("us"), datetime.fromisoformat("2026-01-01")),
    (
        "'2026-11-01 01:30-05'::timestamptz",
        pa.timestamp("us", tz="UTC"),
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    ),
    (f"'{UUID}'::uuid", pa.string(), str(UUID)),
    (r"'\x00ff'::bytea", pa.binary(), b"\x00\xff"),
    ("'[1,2)'::int4range", pa.string(), "[1,2)"),
    ("'{1,null,3}'::int[]", pa.list_(pa.int32()), [1, None, 3]),
    ("'{a,\"\"}'::text[]", pa.list_(pa.string()), ["a", ""]),
    ("'10.0.0.1'::inet", pa.string(), "10.0.0.1"),
]


@pytest.mark.parametrize(("sql", "arrow", "values"), VALUES)
def test_a_value_arrives_as_it_was(
    connections: Path, source: psycopg.Connection, sql: str, arrow: pa.DataType, values: object
) -> None:
    """Each type has one Arrow type that holds all its values, and a gap stays a gap."""
    literal, _, kind = sql.rpartition("::")

    query = f"select value::{kind} as value from (values ({literal}), (null)) as given (value)"  # noqa: S608 - our own

    table = _query(connections, query)

    assert table.schema.field("value").type == arrow
    assert table["value"].to_pylist() == [values, None]


def test_no_column_changes_another(connections: Path, source: psycopg.Connection) -> None:
    """All types in one table come as each does alone, arrays beside what arrays are made of."""
    casts = [sql.rpartition("::") for sql, _, _ in VALUES]
    columns = ", ".join(f"v{index}::{kind}" for index, (_, _, kind) in enumerate(casts))
    names = ", ".join(f"v{index}" for index in range(len(casts)))
    literals, gaps = ", ".join(literal for literal, _, _ in casts), ", ".join("null" for _ in casts)

    table = _query(connections, f"select {columns} from (values ({literals}), ({gaps})) as given ({names})")  # noqa: S608 - our own

    assert table.schema.types == [arrow for _, arrow, _ in VALUES]
    assert [column.to_pylist() for column in table.columns] == [[values, None] for _, _, values in VALUES]


@pytest.mark.parametrize(("sql", "arrow", "values"), [case for case in VALUES if "[]" not in case[0]])
def test_an_element_arrives_as_it_was(
    connections: Path, source: psycopg.Connection, sql: str, arrow: pa.DataType, values: object
) -> None:
    """An array's elements are what they would be in a column of their own."""
    literal, _, kind = sql.rpartition("::")

    table = _query(connections, f"select array[null, {literal}]::{kind}[] as value")

    assert table.schema.field("value").type == pa.list_(arrow)
    assert table["value"].to_pylist() == [[None, values]]


@pytest.mark.parametrize(
    "asked",
    [
        {"table": "orders"},
        {"table": "orders", "columns": ["id"], "where": "id >= 0 -- all"},
        {"query": "select id from orders; -- all"},
        {"query": "select id from orders order by id desc limit 3"},
    ],
)
def test_a_sample_is_the_first_rows_only(connections: Path, source: psycopg.Connection, asked: dict[str, Any]) -> None:
    """The database is asked for no more, whatever it has."""
    source.execute("create table orders as select generate_series(0, 99) as id")
    wanted = SqlSource.model_validate({"sql": "source", **asked})
    task = sql_task().model_copy(update={"sample": 2})

    with SqlReader(task, connections) as reader, reader.rows("orders", wanted) as rows:
        found = pa.Table.from_batches(rows.batches, rows.schema)["id"].to_pylist()

    assert found == ([99, 98] if "desc" in str(wanted.query) else [0, 1])


def test_json_arrives_as_its_text(connections: Path, source: psycopg.Connection) -> None:
    """A document keeps its shape, whatever it is."""
    table = _query(connections, """select '{"a": [1, null, "é"]}'::jsonb as value""")

    assert json.loads(table["value"][0].as_py()) == {"a": [1, None, "é"]}


def test_the_interval_is_bound_not_written(connections: Path, source: psycopg.Connection) -> None:
    """:start belongs to the interval, :end does not, and a cast is no parameter."""
    source.execute("create table orders (at timestamptz)")
    source.execute(
        "insert into orders values ('2026-11-01 00:00-04'), ('2026-11-01 23:59:59.999999-05'), ('2026-11-02 00:00-05')"
    )

    table = _query(connections, "select at::timestamptz from orders where at >= :start and at < :end order by 1")

    assert table["at"].to_pylist() == [
        NOVEMBER_1.start,
        NOVEMBER_1.end.replace(hour=4, minute=59, second=59, microsecond=999999),
    ]


@pytest.mark.parametrize("rows", [0, 1, 65_536, 65_537, 200_000])
def test_every_row_comes_once(connections: Path, source: psycopg.Connection, rows: int) -> None:
    """Batches neither lose nor repeat a row, and an empty result has its columns."""
    source.execute(f"create table orders as select generate_series(1, {rows}) as id")

    table = _read(connections, SqlSource(sql="source", table="orders"))

    assert table.column_names == ["id"]
    assert table["id"].to_pylist() == list(range(1, rows + 1))


def test_two_sources_of_one_connection_are_of_one_moment(connections: Path, source: psycopg.Connection) -> None:
    """What is written between two reads is in neither."""
    source.execute("create table orders as select 1 as id")
    with SqlReader(sql_task(), connections) as reader:
        for name in ("first", "second"):
            with reader.rows(name, SqlSource(sql="source", table="orders")) as rows:
                assert sum(batch.num_rows for batch in rows.batches) == 1
            source.execute("insert into orders values (2)")


@pytest.mark.parametrize("name", ["select", "Orders", "order items", 'x"; drop table "Orders', "50% :off", "tränen"])
def test_a_strange_table_name_is_quoted(connections: Path, source: psycopg.Connection, name: str) -> None:
    """A table whose name is a word of SQL, or none, is a table like any other; so is its schema."""
    for schema in ("public", name):
        table = sql.SQL(".").join(map(sql.Identifier, (schema, name)))
        source.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        source.execute(sql.SQL('create table {} as select {} as "group"').format(table, schema))
    try:
        for asked, schema in ((name, "public"), (f"{name}.{name}", name)):
            assert _read(connections, SqlSource(sql="source", table=asked)).to_pylist() == [{"group": schema}]
    finally:
        source.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


@pytest.mark.parametrize("name", ["", ".orders", "orders.", "a.b.c", "or\0ders", "or\nders", "x" * 129])
def test_what_is_no_table_is_refused_with_what_is(name: str) -> None:
    """Before any database is asked."""
    with pytest.raises(ValidationError, match="is not a table as its database names it, with one dot at most"):
        SqlSource(sql="source", table=name)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"table": "nothing"}, 'extract.orders.table: relation "nothing" does not exist'),
        ({"query": "select 1,\n  oops"}, 'extract.orders.query, line 2: column "oops" does not exist'),
        ({"query": "selec 1"}, 'extract.orders.query, line 1: syntax error at or near "selec"'),
        (
            {"query": "select 1 where now() > :begin"},
            "extract.orders.query: no value for :begin. Use :start, :end, :first_day, :last_day",
        ),
        (
            {"query": "select 1 as a, 2 as a"},
            "extract.orders: the result has two columns named a. Give each its own name",
        ),
        ({"query": "delete from pg_class"}, "extract.orders"),
    ],
)
def test_what_cannot_be_read_is_told(
    connections: Path, source: psycopg.Connection, spec: dict[str, str], problem: str
) -> None:
    """The message names the source, the line of its query, and what PostgreSQL says."""
    with pytest.raises(SpecError) as error:
        _read(connections, SqlSource(sql="source", **spec))

    assert problem in str(error.value)


def test_one_bad_source_does_not_spoil_the_next(connections: Path, source: psycopg.Connection) -> None:
    """All problems of all sources are told in one run."""
    with SqlReader(sql_task(), connections) as reader:
        for column in ("one", "two"):
            with (
                pytest.raises(SpecError, match=column),
                reader.rows("x", SqlSource(sql="source", query=f"select {column}")),
            ):
                pass
        with reader.rows("x", SqlSource(sql="source", query="select 3 as three")) as rows:
            assert next(rows.batches).to_pylist() == [{"three": 3}]


def test_a_number_that_no_type_holds_is_told_with_its_column(connections: Path, source: psycopg.Connection) -> None:
    """A numeric without bounds that is too long is refused, never rounded."""
    with pytest.raises(DataError, match=r"extract\.orders, column value"):
        _query(connections, "select 1e30::numeric + 0.00000000001 as value")


def test_an_unknown_connection_is_told(connections: Path, source: psycopg.Connection) -> None:
    """The message names the connection that is not there."""
    with pytest.raises(SpecError, match="there is no connection 'nobody'"):
        _read(connections, SqlSource(sql="nobody", table="orders"))


def test_a_server_that_does_not_answer_is_worth_another_try(connections: Path) -> None:
    """A refused connection is Unavailable, without the password in its message."""
    (connections / "source" / "uri").write_text("postgresql://u:topsecret@127.0.0.1:9/db")

    with pytest.raises(Unavailable) as error:
        _read(connections, SqlSource(sql="source", table="orders"))

    assert "topsecret" not in str(error.value)


def test_a_table_gives_the_columns_and_rows_that_are_asked_for(connections: Path, source: psycopg.Connection) -> None:
    """Names are quoted, the interval is bound, and a remark after the condition does no harm."""
    source.execute('create table orders (id int, "Item; drop" text, at timestamptz)')
    source.execute(
        "insert into orders select n, 'x', '2026-11-01Z'::timestamptz + n * interval '12h' "
        "from generate_series(0, 3) as n"
    )
    asked = SqlSource(
        sql="source", table="orders", columns=("Item; drop", "id"), where="at >= :start and at < :end -- today"
    )

    with SqlReader(sql_task(), connections) as reader, reader.rows("orders", asked) as rows:
        table = pa.Table.from_batches(rows.batches, rows.schema)

    assert table.to_pylist() == [{"Item; drop": "x", "id": 1}, {"Item; drop": "x", "id": 2}]


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ({"columns": ("nope",)}, 'extract.orders.table: column "nope" does not exist'),
        ({"where": "nope = 1"}, 'extract.orders.table: column "nope" does not exist'),
        (
            {"where": "id = :begin"},
            "extract.orders.where: no value for :begin. Use :start, :end, :first_day, :last_day",
        ),
        ({"where": "true) union select 1 --"}, "extract.orders.table: syntax error"),
        ({"where": "true; drop table orders"}, "extract.orders.table: syntax error"),
    ],
)
def test_what_a_table_has_not_is_told(
    connections: Path, source: psycopg.Connection, about: dict[str, Any], problem: str
) -> None:
    """The place is the table's, and nothing of the condition gets out of its brackets."""
    source.execute("create table orders (id int)")

    with (
        SqlReader(sql_task(), connections) as reader,
        pytest.raises(SpecError) as error,
        reader.rows("orders", SqlSource(sql="source", table="orders", **about)),
    ):
        pass

    assert str(error.value).startswith(problem)
    assert source.execute("select count(*) from orders").fetchone() == (0,)


def test_parameters_are_bound_by_name(connections: Path, source: psycopg.Connection) -> None:
    """Each keeps its type, whatever its value looks like."""
    query = (
        "select :origin as origin, :most as most, :share as share, :big as big, :since - 30 as since, :first_day as day"
    )
    params = {"origin": "J'FK; --", "most": 3_000_000_000, "share": 0.5, "big": True, "since": date(2026, 1, 31)}
    with (
        SqlReader(sql_task(**params), connections) as reader,
        reader.rows("orders", SqlSource(sql="source", query=query)) as rows,
    ):
        table = pa.Table.from_batches(rows.batches, rows.schema)

    assert table.to_pylist() == [
        {
            "origin": "J'FK; --",
            "most": 3_000_000_000,
            "share": 0.5,
            "big": True,
            "since": date(2026, 1, 1),
            "day": date(2026, 11, 1),
        }
    ]
