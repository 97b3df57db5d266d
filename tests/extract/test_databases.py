"""Rows of databases other than PostgreSQL: a real MariaDB server, and SQLite files."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pymysql
import pytest

from etl_contract import DataError, SpecError, SqlSource, Unavailable
from etl_extract._sql import SqlReader
from tests.extract.mariadb import PASSWORD
from tests.extract.reading import sql_task

type Case = tuple[str, str, pa.DataType, object]  # a type, a literal of it, and what becomes of both


@pytest.fixture
def shop(port: int, tmp_path: Path) -> Iterator[pymysql.cursors.Cursor]:
    """Give a cursor of an empty database `shop`, which is the connection `source`."""
    _connect(tmp_path, f"mysql://reader:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/shop")
    with (
        pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as root,
        root.cursor() as cursor,
    ):
        cursor.execute("drop database shop")
        cursor.execute("create database shop character set utf8mb4")
        cursor.execute("use shop")
        yield cursor


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty SQLite file, which is the connection `source`."""
    path = tmp_path / "shop.db"
    _connect(tmp_path, f"sqlite:///{path}")
    connection = sqlite3.connect(path, autocommit=True)
    yield connection
    connection.close()


def _connect(folder: Path, uri: str) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "uri").write_text(uri)


def _read(folder: Path, source: dict[str, Any], **params: Any) -> pa.Table:  # noqa: ANN401 - as in YAML
    with (
        SqlReader(sql_task(**params), folder) as reader,
        reader.rows("orders", SqlSource.model_validate({"sql": "source"} | source)) as rows,
    ):
        return pa.Table.from_batches(rows.batches, rows.schema)


MYSQL: list[Case] = [
    ("tinyint(1)", "1", pa.int16(), 1),
    ("tinyint unsigned", "255", pa.int16(), 255),
    ("smallint unsigned", "65535", pa.int32(), 65_535),
    ("mediumint", "-8388608", pa.int32(), -8_388_608),
    ("int unsigned", "4294967295", pa.int64(), 4_294_967_295),
    ("bigint", "9007199254740993", pa.int64(), 9_007_199_254_740_993),
    ("bigint unsigned", "18446744073709551615", pa.decimal128(20, 0), Decimal(18_446_744_073_709_551_615)),
    ("decimal(20,2)", "-123456789012345678.12", pa.decimal128(20, 2), Decimal("-123456789012345678.12")),
    ("decimal(10,0) unsigned", "42", pa.decimal128(10, 0), Decimal(42)),
    ("decimal(65,30)", "0.000000000000000000000000000001", pa.decimal256(65, 30), Decimal("1e-30")),
    ("double", "0.1", pa.float64(), 0.1),
    ("float", "1.5", pa.float32(), 1.5),
    ("date", "'2026-02-28'", pa.date32(), date(2026, 2, 28)),
    ("datetime(6)", "'2026-01-01 23:59:59.999999'", pa.timestamp("us"), datetime(2026, 1, 1, 23, 59, 59, 999_999)),  # noqa: DTZ001 - it has no zone
    ("time", "'-838:59:59'", pa.duration("us"), -timedelta(hours=838, minutes=59, seconds=59)),
    ("year", "2026", pa.int16(), 2026),
    ("varchar(10)", "'é\U0001f600''\"'", pa.string(), "é\U0001f600'\""),
    ("char(5)", "''", pa.string(), ""),
    ("text", "'a\nb'", pa.string(), "a\nb"),
    ("varbinary(3)", "x'00ff0a'", pa.binary(), b"\x00\xff\n"),
    ("blob", "x'ff'", pa.binary(), b"\xff"),
    ("json", "'{\"a\": [1, null]}'", pa.string(), '{"a": [1, null]}'),
    ("enum('s','m')", "'m'", pa.string(), "m"),
    ("set('a','b')", "'a,b'", pa.string(), "a,b"),
    ("bit(9)", "b'100000001'", pa.int64(), 257),
    ("bit(64)", "~0", pa.decimal128(20, 0), Decimal(2**64 - 1)),
]


@pytest.mark.parametrize("case", MYSQL, ids=[case[0] for case in MYSQL])
def test_a_value_of_mariadb_arrives_as_it_was(shop: pymysql.cursors.Cursor, tmp_path: Path, case: Case) -> None:
    """Each type has one Arrow type that holds all its values, and a gap stays a gap."""
    kind, literal, arrow, value = case
    shop.execute(f"create table orders (id serial, value {kind} null)")
    shop.execute(f"insert into orders (value) values ({literal}), (null)")  # noqa: S608 - our own

    table = _read(tmp_path, {"table": "orders", "columns": ["value"]})

    assert table.schema.field("value").type == arrow
    assert table["value"].to_pylist() == [value, None]


def test_a_float_of_mariadb_keeps_its_digits(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """The server writes six of them, and a float has up to nine; what stands beside it is what it is alone."""
    columns = ", ".join(f"`{index}%` {kind} null" for index, (kind, *_) in enumerate(MYSQL))
    shop.execute(f"create table orders (price float, {columns}, share float(7,2) unsigned)")
    literals = ", ".join(literal for _, literal, *_ in MYSQL)
    shop.execute(f"insert into orders values (16777216, {literals}, 12345.67), (0.1, {literals}, 1)")  # noqa: S608 - our own
    alone = [(arrow, value) for _, _, arrow, value in MYSQL]
    floats = pa.array([16_777_216, 0.1], pa.float32()), pa.array([12_345.67, 1], pa.float32())

    for source in ({"table": "orders"}, {"query": "select * from orders where `0%` >= :least -- all"}):
        table = _read(tmp_path, source, least=0)

        assert table.column_names == ["price", *(f"{index}%" for index in range(len(MYSQL))), "share"]
        assert (table["price"].combine_chunks(), table["share"].combine_chunks()) == floats
        assert [(column.type, column[0].as_py()) for column in table.columns[1:-1]] == alone


def test_a_float_of_mariadb_that_lacks_digits_is_told(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """It is where the query cannot stand in another's brackets, here since these tell no `a` from an `A`."""
    shop.execute("create table orders (price float)")
    shop.execute("insert into orders values (16777216)")

    with pytest.raises(DataError, match=r"column price: a value is no float: '16777200\.0' may lack digits\. Cast"):
        _read(tmp_path, {"query": "select price, 1 as a, 2 as A from orders"})


def test_a_timestamp_of_mariadb_is_an_instant(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """It is read by UTC's clock, whatever the session that wrote it had."""
    shop.execute("create table orders (at timestamp(6) null)")
    shop.execute("set time_zone = '-05:00'")
    shop.execute("insert into orders values ('2026-11-01 01:30:00.000001')")

    table = _read(tmp_path, {"table": "orders"})

    assert table["at"].to_pylist() == [datetime(2026, 11, 1, 6, 30, 0, 1, tzinfo=UTC)]


def test_mariadb_streams_every_row_once(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """More rows than a batch come in batches."""
    shop.execute("create table orders as select seq as id from seq_1_to_200000")

    table = _read(tmp_path, {"table": "orders"})

    assert sorted(table["id"].to_pylist()) == list(range(1, 200_001))


def test_mariadb_is_told_the_interval_and_parameters(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """:start is an instant of UTC's clock, and a percent sign is one."""
    shop.execute("create table orders (id int, at datetime, item varchar(9))")
    shop.execute(
        "insert into orders values (1, '2026-11-01 03:59:59', 'a%'), (2, '2026-11-01 04:00:00', 'a%'), "
        "(3, '2026-11-02 05:00:00', 'a%'), (4, '2026-11-02 04:59:59', 'b')"
    )

    query = "select id from orders where at >= :start and at < :end and item like 'a%' and id < :most;"

    assert _read(tmp_path, {"query": query}, most=100).to_pylist() == [{"id": 2}]


def test_two_sources_of_mariadb_are_of_one_moment(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """What is written between them is seen by neither."""
    shop.execute("create table orders (id int) engine=innodb")
    source = SqlSource(sql="source", table="orders")

    with SqlReader(sql_task(), tmp_path) as reader:
        for _ in range(2):
            with reader.rows("orders", source) as rows:
                assert sum(batch.num_rows for batch in rows.batches) == 0
            shop.execute("insert into orders values (1)")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"table": "nothing"}, "extract.orders.table: Table 'shop.nothing' doesn't exist"),
        ({"query": "selec 1"}, "extract.orders.query: You have an error in your SQL syntax"),
        ({"query": "select nope from orders"}, "extract.orders.query: Unknown column 'nope'"),
        ({"query": "select id as a, id as a from orders"}, "extract.orders.query: the result has two columns named a"),
        ({"query": "delete from orders"}, "extract.orders.query: Cannot execute statement in a READ ONLY transaction"),
        ({"query": "select 1; drop table orders"}, "extract.orders.query: You have an error in your SQL syntax"),
        ({"query": "select :nope"}, "extract.orders.query: no value for :nope"),
    ],
)
def test_what_mariadb_cannot_read_is_told(
    shop: pymysql.cursors.Cursor, tmp_path: Path, source: dict[str, str], problem: str
) -> None:
    """The place is the source's field, the words are the server's."""
    shop.execute("create table orders (id int)")
    shop.execute("insert into orders values (1)")

    with pytest.raises(SpecError) as error:
        _read(tmp_path, source)

    assert str(error.value).startswith(problem)
    shop.execute("select count(*) from orders")
    assert shop.fetchone() == (1,)


def test_a_date_that_no_calendar_has_is_told(shop: pymysql.cursors.Cursor, tmp_path: Path) -> None:
    """MySQL's zero date is a mistake in the data, not a traceback."""
    shop.execute("create table orders (at date)")
    shop.execute("set sql_mode = ''")
    shop.execute("insert into orders values ('0000-00-00')")

    with pytest.raises(DataError, match=r"extract\.orders, column at: a value is no date32.*'0000-00-00'"):
        _read(tmp_path, {"table": "orders"})


def test_mariadb_that_does_not_answer_is_worth_another_try(tmp_path: Path) -> None:
    """A refused connection is Unavailable, without the password in its message."""
    _connect(tmp_path, "mysql://u:topsecret@127.0.0.1:9/shop")

    with pytest.raises(Unavailable) as error:
        _read(tmp_path, {"table": "orders"})

    assert "topsecret" not in str(error.value)


def test_a_wrong_password_of_mariadb_is_told(shop: pymysql.cursors.Cursor, tmp_path: Path, port: int) -> None:
    """No other try helps."""
    (tmp_path / "source" / "uri").write_text(f"mariadb://reader:topsecret@127.0.0.1:{port}/shop")

    with pytest.raises(SpecError, match="Access denied") as error:
        _read(tmp_path, {"table": "orders"})

    assert "topsecret" not in str(error.value)


SQLITE: list[Case] = [
    ("INTEGER", "9007199254740993", pa.int64(), 9_007_199_254_740_993),
    ("BIGINT", "-1", pa.int64(), -1),
    ("REAL", "0.1", pa.float64(), 0.1),
    ("DECIMAL(10,2)", "12.5", pa.decimal128(10, 2), Decimal("12.50")),
    ("DECIMAL(50,2)", "12.5", pa.decimal256(50, 2), Decimal("12.50")),
    ("DECIMAL(3,5)", "0.00125", pa.decimal128(5, 5), Decimal("0.00125")),
    ("DECIMAL(90,2)", "12.5", pa.string(), "12.5"),
    ("DECIMAL(0)", "7", pa.decimal128(38, 10), Decimal(7)),
    ("TEXT", "'é'", pa.string(), "é"),
    ("VARCHAR(3)", "''", pa.string(), ""),
    ("BLOB", "x'00ff'", pa.binary(), b"\x00\xff"),
    ("BOOLEAN", "1", pa.bool_(), True),
    ("DATE", "'2026-02-28'", pa.date32(), date(2026, 2, 28)),
    ("DATETIME", "'2026-01-01 01:02:03'", pa.timestamp("us"), datetime(2026, 1, 1, 1, 2, 3)),  # noqa: DTZ001 - it has no zone
    ("TIMESTAMP", "'2026-01-01T01:02:03.5'", pa.timestamp("us"), datetime(2026, 1, 1, 1, 2, 3, 500_000)),  # noqa: DTZ001
    ("NUMERIC", "7", pa.decimal128(38, 10), Decimal(7)),
    ("", "7", pa.int64(), 7),
    ("", "7.5", pa.float64(), 7.5),
    ("", "x'01'", pa.binary(), b"\x01"),
    ("", "'x'", pa.string(), "x"),
]


@pytest.mark.parametrize("case", SQLITE, ids=[f"{case[0]} {case[1]}" for case in SQLITE])
def test_a_value_of_sqlite_arrives_as_it_was(file: sqlite3.Connection, tmp_path: Path, case: Case) -> None:
    """The type is the declared one, or that of the values where nothing was declared."""
    kind, literal, arrow, value = case
    file.execute(f"create table orders (value {kind})")
    file.execute(f"insert into orders values ({literal}), (null)")  # noqa: S608 - our own

    table = _read(tmp_path, {"query": "select value from orders"})

    assert table.schema.field("value").type == arrow
    assert table["value"].to_pylist() == [value, None]


def test_sqlite_is_told_the_interval_and_parameters(file: sqlite3.Connection, tmp_path: Path) -> None:
    """Times are compared as the texts that people write."""
    file.execute("create table orders (id integer, at datetime, item text)")
    file.execute(
        "insert into orders values (1, '2026-11-01 03:59:59', 'a'), (2, '2026-11-01 04:00:00', 'a'), "
        "(3, '2026-11-02 05:00:00', 'a'), (4, '2026-11-02 04:59:59', 'b')"
    )

    asked = {"table": "orders", "columns": ["id"], "where": "at >= :start and at < :end and item = :item"}

    assert _read(tmp_path, asked, item="a").to_pylist() == [{"id": 2}]


@pytest.mark.parametrize("where", ["at >= :start and at < :end", ":start <= at and not :end <= at"])
@pytest.mark.parametrize("kind", ["datetime", "text", "text collate nocase"])
def test_sqlite_compares_texts_as_the_times_that_they_are(
    file: sqlite3.Connection, tmp_path: Path, kind: str, where: str
) -> None:
    """With a space or a T, a fraction, an offset, or without seconds or a time at all: each is in one interval."""
    inside = [
        "2026-11-01T04:00:00",
        "2026-11-01 04:00",
        "2026-11-02T04:30:00",
        "2026-11-02 04:59:59.999999",
        "2026-11-02",
    ]
    outside = [
        "2026-11-01T03:59:59.999",
        "2026-11-01 03:00:00",
        "2026-11-01",
        "2026-11-02T05:00:00",
        "2026-11-02 05:00",
    ]
    if kind != "datetime":
        inside, outside = [*inside, "2026-11-02T06:00:00+02:00"], [*outside, "2026-11-02T05:00:00Z", "soon", ""]
    file.execute(f"create table orders (at {kind})")
    file.executemany("insert into orders values (?)", [(text,) for text in (*inside, *outside)])

    found = _read(tmp_path, {"query": f"select cast(at as text) as at from orders where {where}"})  # noqa: S608 - our own

    assert sorted(found["at"].to_pylist()) == sorted(inside)


def test_sqlite_compares_days_of_the_interval(file: sqlite3.Connection, tmp_path: Path) -> None:
    """Also with times, and where functions are given one."""
    file.execute("create table orders (id integer, at datetime)")
    file.execute("insert into orders values (1, '2026-11-01T00:00:00'), (2, '2026-10-31T23:59:59')")

    for where in (
        "at >= :first_day",
        "date(at) = date(:first_day)",
        "at between :first_day and date(:last_day, '+1 day')",
    ):
        assert _read(tmp_path, {"table": "orders", "columns": ["id"], "where": where}).to_pylist() == [{"id": 1}]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"table": "none"}, "extract.orders.table: no such table: none"),
        ({"query": "selec 1"}, 'extract.orders.query: near "selec": syntax error'),
        ({"query": "select nope from orders"}, "extract.orders.query: no such column: nope"),
        ({"query": "delete from orders"}, 'extract.orders.query: near "delete": syntax error'),
    ],
)
def test_what_sqlite_cannot_read_is_told(
    file: sqlite3.Connection, tmp_path: Path, source: dict[str, str], problem: str
) -> None:
    """The place is the source's field, the words are SQLite's."""
    file.execute("create table orders (id int)")
    file.execute("insert into orders values (1)")

    with pytest.raises(SpecError) as error:
        _read(tmp_path, source)

    assert str(error.value).startswith(problem)
    assert file.execute("select count(*) from orders").fetchone() == (1,)


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("INTEGER", "(1), ('many')", "column value: a value is no int64: 'many' is of type str"),
        ("INTEGER", "(1), (1.5)", "column value: a value is no int64: '1.5' is of type float"),
        ("INTEGER", "(x'01')", r"column value: a value is no int64: 'b'\\x01'' is of type bytes"),
        ("REAL", "('much')", "column value: a value is no double: 'much' is of type str"),
        ("LONGBLOB", "('text')", "column value: a value is no binary: 'text' is of type str"),
        ("DATE", "('2026-13-01')", "column value: a value is no date32"),
        ("DATE", "(20240101)", "column value: a value is no date32.*20240101 is no ISO text"),
        ("DATE", "(x'01')", r"column value: a value is no date32.*b'\\x01' is no ISO text"),
        ("DATE", "('2026-01-01 10:00:00')", "column value: a value is no date32.*'2026-01-01 10:00:00'"),
        (
            "DATETIME",
            "('2026-01-01 10:00+02:00')",
            r"a value is no timestamp.*'2026-01-01 10:00:00\+02:00' has an offset",
        ),
        ("DATETIME", "(1767225600)", "column value: a value is no timestamp.*1767225600 is no ISO text"),
        ("BOOLEAN", "(2)", "column value: a value is no bool: 2 is neither 0 nor 1"),
        ("DECIMAL(3,1)", "(1.25)", "column value: a value is no decimal128"),
        ("DECIMAL(3,1)", "('much')", "column value: a value is no decimal128.*'much' is no number"),
        ("NUMERIC", "(x'01')", r"column value: a value is no decimal128.*b'\\x01' is no number"),
        ("", "(x'00'), ('x')", "column value: a value is no string: it holds bytes and texts"),
    ],
)
def test_a_value_of_sqlite_that_is_not_what_was_declared_is_told(
    file: sqlite3.Connection, tmp_path: Path, kind: str, values: str, problem: str
) -> None:
    """SQLite takes anything into any column; we tell, and change nothing."""
    file.execute(f"create table orders (value {kind})")
    file.execute(f"insert into orders values {values}")  # noqa: S608 - our own

    with pytest.raises(DataError, match=problem):
        _read(tmp_path, {"table": "orders"})


def test_a_sqlite_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """None is made."""
    _connect(tmp_path, f"sqlite:///{tmp_path}/none.db")

    with pytest.raises(SpecError, match=r"there is no file '.*none\.db'"):
        _read(tmp_path, {"table": "orders"})

    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_sqlite_is_told(tmp_path: Path) -> None:
    """A text in its place is no traceback."""
    (tmp_path / "shop.db").write_text("id,item\n1,a\n" * 100)
    _connect(tmp_path, f"sqlite:///{tmp_path}/shop.db")

    with pytest.raises(SpecError, match="file is not a database"):
        _read(tmp_path, {"table": "orders"})


def test_changes_beside_a_sqlite_file_are_told(file: sqlite3.Connection, tmp_path: Path) -> None:
    """A copy of a file that is in use may lack its last rows."""
    file.execute("pragma journal_mode = wal")
    file.execute("create table orders (id int)")

    with pytest.raises(SpecError, match=r"has changes beside it in 'shop\.db-wal'"):
        _read(tmp_path, {"table": "orders"})


@pytest.mark.parametrize("uri", ["mongodb://host/db", "oracle+nothing://host/db", "mssql://host/db"])
def test_a_kind_without_a_driver_is_told(tmp_path: Path, uri: str) -> None:
    """The message says which kinds there are."""
    _connect(tmp_path, uri)

    with pytest.raises(SpecError, match=r"connection 'source' is of kind '.*'\. Use postgresql://, mysql://"):
        _read(tmp_path, {"table": "orders"})
