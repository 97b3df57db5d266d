"""A source that reads only what is new: against a real source, a real warehouse and a real load."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import pyarrow.parquet as pq
import pymysql
import pytest
import yaml
from psycopg import sql

from etl_contract import DataError, ExtractTask, Interval, LoadTarget, LoadTask, SpecError, StageResult
from etl_extract.__main__ import extract
from etl_load._load import load_into
from tests.docs.pages import PIPELINES, blocks
from tests.extract.mariadb import PASSWORD
from tests.load.warehouse import Warehouse, running_warehouse

ORDERS = {"table": "orders", "mode": "upsert", "key": ["id"]}
DAY = Interval(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture(scope="module")
def server() -> Any:  # noqa: ANN401 - a generator
    """Start a warehouse with the product's tables and roles."""
    with running_warehouse() as warehouse:
        warehouse.sql("create schema shop")
        warehouse.sql("grant usage on schema shop to extract")
        warehouse.sql("alter default privileges in schema shop grant select on tables to extract")
        yield warehouse


class Shop:
    """A shop whose orders are loaded again and again."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self._folder = folder
        self._runs = 0
        for name in ("source", "warehouse"):
            (folder / name).mkdir()
            (folder / name / "uri").write_text(warehouse.uri("extract"))

    def orders(self, kind: str, *values: str | None) -> None:
        """Add orders with these values of the cursor, in a table of its own."""
        self.warehouse.sql(f"create table if not exists shop.orders (id serial, at {kind})")
        for value in values:
            # Not as a parameter, whose type the connection would remember from the table before.
            self.warehouse.sql(f"insert into shop.orders (at) values ({sql.Literal(value).as_string()})")  # noqa: S608

    def extract(self, *, full_refresh: bool = False, **source: Any) -> StageResult:  # noqa: ANN401 - fields of a source
        """Extract, in a run of its own."""
        self._runs += 1
        spec = {
            "sql": "source",
            "cursor": "at",
            **({"table": "shop.orders"} if "query" not in source else {}),
            **source,
        }
        return extract(
            ExtractTask.model_validate(
                {
                    "pipeline": "shop",
                    "run_id": f"run {self._runs}",
                    "interval": DAY,
                    "run_uri": f"file://{self._folder}/{self._runs}",
                    "spec": {"orders": spec},
                    "full_refresh": full_refresh,
                }
            ),
            self._folder,
        )

    def load(self, extracted: StageResult, target: dict[str, Any] | None = None, *, full_refresh: bool = False) -> None:
        """Load what was extracted."""
        load_into(
            self.warehouse.uri(),
            LoadTask(
                pipeline="shop",
                run_id=f"run {self._runs}",
                interval=DAY,
                run_uri=f"file://{self._folder}",
                inputs=extracted.datasets,
                watermarks=extracted.watermarks,
                full_refresh=full_refresh,
                spec={"orders": LoadTarget.model_validate(target or ORDERS)},
            ),
        )

    def run(self, **source: Any) -> list[int]:  # noqa: ANN401 - fields of a source
        """Extract and load; give the orders that were read."""
        extracted = self.extract(**source)
        self.load(extracted)
        return ids(extracted)

    @property
    def watermark(self) -> str | None:
        """Give the watermark that is kept."""
        found = self.warehouse.sql("select value from etl.watermarks")
        return found[0][0] if found else None


def ids(extracted: StageResult) -> list[int]:
    """Give the orders that were read."""
    return sorted(pq.read_table(extracted.datasets[0].uri.removeprefix("file://"))["id"].to_pylist())


@pytest.fixture
def shop(server: Warehouse, tmp_path: Path) -> Shop:
    """Open a shop that has no orders and remembers nothing."""
    server.clear()
    server.sql("drop table if exists shop.orders")
    server.sql("delete from etl.watermarks")
    return Shop(server, tmp_path)


@pytest.mark.parametrize(
    ("kind", "values", "watermark"),
    [
        ("timestamptz", ["2026-01-01 00:00+01", "2026-01-01 00:00:00.000001+00"], "2026-01-01T00:00:00.000001+00:00"),
        ("timestamp", ["2026-01-01", "2026-01-01 00:00:01"], "2026-01-01T00:00:01"),
        ("date", ["2026-01-01", "2026-01-02"], "2026-01-02"),
        ("int", ["-10", "-9"], "-9"),
        ("bigint", ["9007199254740992", "9007199254740993"], "9007199254740993"),
        ("numeric(10,2)", ["9.99", "10.00"], "10.00"),
        ("int", ["-1", "0"], "0"),
    ],
)
def test_a_run_reads_what_came_after_the_last(shop: Shop, kind: str, values: list[str], watermark: str) -> None:
    """Each row is read once, whatever type the cursor has, and the watermark is its largest value, exactly."""
    shop.orders(kind, values[0])
    assert shop.run() == [1]

    shop.orders(kind, values[1])

    assert shop.run() == [2]
    assert shop.watermark == watermark
    assert shop.run() == []
    assert shop.watermark == watermark


def test_a_run_whose_load_never_came_is_read_again(shop: Shop) -> None:
    """Extract alone moves nothing."""
    shop.orders("int", "1")
    first = shop.extract()

    assert shop.watermark is None
    assert ids(shop.extract()) == ids(first) == [1]


def test_a_query_has_a_cursor_too(shop: Shop) -> None:
    """The condition is put around the query, whatever it ends with."""
    shop.orders("int", "1", "2", "3")

    assert shop.run(query="select * from shop.orders where at < 3; -- not the last") == [1, 2]
    assert shop.run(query="select * from shop.orders -- all") == [3]


@pytest.mark.parametrize(
    ("kind", "values", "lookback", "again"),
    [
        ("int", ["1", "9", "10"], 1, [2, 3]),
        ("int", ["1", "9", "10"], 0, [3]),
        ("timestamptz", ["2026-01-01", "2026-01-08", "2026-01-10"], "2 days", [2, 3]),
        ("timestamp", ["2026-01-01 00:00", "2026-01-01 00:30", "2026-01-01 01:00"], "30 minutes", [2, 3]),
        ("date", ["2026-01-01", "2026-01-08", "2026-01-10"], "25 hours", [2, 3]),
    ],
)
def test_lookback_reads_late_rows(
    shop: Shop, kind: str, values: list[str], lookback: str | int, again: list[int]
) -> None:
    """From the watermark less the lookback on, both ends included, and the watermark stays."""
    shop.orders(kind, *values)
    shop.run(lookback=lookback)
    kept = shop.watermark

    assert shop.run(lookback=lookback) == again
    assert shop.watermark == kept


def test_a_tie_that_comes_later_needs_a_lookback(shop: Shop) -> None:
    """A row at the watermark is not after it."""
    shop.orders("int", "1", "1")
    assert shop.run() == [1, 2]

    shop.orders("int", "1")

    assert shop.run() == []
    assert shop.run(lookback=0) == [1, 2, 3]


def test_rows_without_a_value_are_counted(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """They have no place in the order, so they are not read, and the log says how many."""
    shop.orders("int", None, "1", None)

    assert shop.run() == [2]
    assert "rows without a value in the cursor are not read" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
@pytest.mark.parametrize("endless", ["infinity", "-infinity"])
def test_a_value_after_which_no_other_comes_is_refused(shop: Shop, kind: str, endless: str) -> None:
    """As a watermark it would end all reading; the rest can be read without it."""
    shop.orders(kind, endless)

    with pytest.raises(DataError, match=r"extract\.orders\.cursor: 'at' has an endless value") as error:
        shop.run()

    assert "where: isfinite(at)" in error.value.hint
    shop.orders(kind, "2026-01-01")
    assert shop.run(where="isfinite(at)") == [2]


def test_a_watermark_is_never_moved_back(shop: Shop) -> None:
    """Where the newest rows have vanished, the next ones are read from where they would have been."""
    shop.orders("int", "5", "9")
    shop.run()
    shop.warehouse.sql("delete from shop.orders where at = 9")

    assert shop.run(lookback=10) == [1]
    assert shop.watermark == "9"


@pytest.mark.parametrize(
    ("kind", "source", "problem"),
    [
        (
            "int",
            {"cursor": "when"},
            "extract.orders.cursor: the source has no column 'when'. Name one of them: id, at.",
        ),
        ("text", {}, "extract.orders.cursor: column 'at' is a string. A cursor is a timestamp, a date, an integer"),
        ("float8", {}, "extract.orders.cursor: column 'at' is a double."),
        ("int", {"lookback": "2 days"}, "extract.orders.lookback: '2 days' does not fit a int32. Write a duration"),
        ("date", {"lookback": 2}, "extract.orders.lookback: '2' does not fit a date32[day]."),
    ],
)
def test_what_cannot_be_followed_is_told(shop: Shop, kind: str, source: dict[str, Any], problem: str) -> None:
    """The message names the field, what is there, and what would do."""
    shop.orders(kind, None)

    with pytest.raises(SpecError) as error:
        shop.extract(**source)

    assert problem in str(error.value)


def test_a_watermark_of_another_type_is_told(shop: Shop) -> None:
    """A column that has become another is no reason to read nothing, or all."""
    shop.orders("int", "1")
    shop.run()
    shop.warehouse.sql("alter table shop.orders alter at type timestamptz using now()")

    with pytest.raises(SpecError, match=r"the watermark '1' is no timestamp.*\. Delete its line from etl\.watermarks"):
        shop.extract()


def test_the_cursor_that_the_docs_show(server: Warehouse, tmp_path: Path) -> None:
    """A late change of an order is read again, and the table has the order once."""
    (shown,) = (block for block in blocks(PIPELINES, "yaml") if "cursor: updated_at" in block.text)
    sections = yaml.safe_load(shown.text)
    shop = Shop(server, tmp_path)
    server.clear()
    server.sql("delete from etl.watermarks")
    server.sql("drop table if exists shop.changed")
    server.sql("create table shop.changed (id int, item text, updated_at timestamptz)")
    sections["extract"]["orders"]["table"] = "shop.changed"  # in the schema of this shop
    for change in (
        "insert into shop.changed values (1, 'pen', '2026-01-01 00:00Z')",
        "update shop.changed set item = 'ink', updated_at = '2026-01-02 00:00Z'",
        "insert into shop.changed values (2, 'late', '2026-01-01 12:00Z')",
    ):
        server.sql(change)
        shop.load(shop.extract(**sections["extract"]["orders"]), sections["load"]["orders"])

    assert server.sql("select id, item from mart.orders order by 1") == [(1, "ink"), (2, "late")]
    assert shop.watermark == "2026-01-02T00:00:00+00:00"


class Cursor(Protocol):
    """Whatever takes a statement."""

    def execute(self, statement: str, /) -> object:
        """Run it."""


@pytest.fixture(params=["mariadb", "sqlite"])
def other(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> Iterator[Cursor]:
    """Give a cursor of another database, which is the source of the shop."""
    uri = tmp_path / "source" / "uri"
    if request.param == "sqlite":
        uri.write_text(f"sqlite:///{tmp_path}/shop.db")
        connection = sqlite3.connect(tmp_path / "shop.db", autocommit=True)
        yield connection.cursor()
        connection.close()
        return
    port = request.getfixturevalue("port")
    uri.write_text(f"mysql://reader:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/shop")
    with pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as root, root.cursor() as cursor:
        cursor.execute("drop database shop")
        cursor.execute("create database shop")
        cursor.execute("use shop")
        yield cursor


@pytest.mark.parametrize(
    ("kind", "values", "lookback"),
    [
        ("datetime", ["'2026-01-01 00:00:00'", "'2026-01-02 00:00:00'", "'2026-01-01 12:00:00'"], "1 day"),
        ("date", ["'2026-01-01'", "'2026-01-03'", "'2026-01-02'"], "2 days"),
        ("integer", ["1", "10", "9"], 9),
    ],
)
def test_a_cursor_of_another_database_reads_what_is_new(
    shop: Shop, other: Cursor, kind: str, values: list[str], lookback: str | int
) -> None:
    """Each row once, and with a lookback those that came late, too; what has no value is never read."""
    other.execute(f"create table orders (id integer, at {kind} null)")
    other.execute(f"insert into orders values (1, {values[0]}), (0, null)")  # noqa: S608 - our own
    source = {"table": "orders"}
    assert shop.run(**source) == [1]

    other.execute(f"insert into orders values (2, {values[1]})")  # noqa: S608 - our own
    assert shop.run(**source) == [2]
    assert shop.run(**source) == []

    other.execute(f"insert into orders values (3, {values[2]})")  # noqa: S608 - our own
    assert shop.run(**source) == []
    assert shop.run(**source, lookback=lookback) == [1, 2, 3]


def test_a_cursor_of_sqlite_reads_no_row_again(shop: Shop, tmp_path: Path) -> None:
    """Whether its texts have a space or a T before the time."""
    (tmp_path / "source" / "uri").write_text(f"sqlite:///{tmp_path}/shop.db")
    with closing(sqlite3.connect(tmp_path / "shop.db", autocommit=True)) as file:
        file.execute("create table orders (id integer, at datetime)")
        for number, text in enumerate(["2026-01-02T04:30:00", "2026-01-02 04:30:00.5", "2026-01-02T04:31"], start=1):
            file.execute("insert into orders values (?, ?)", (number, text))
            assert shop.run(table="orders") == [number]
            assert shop.run(table="orders") == []
        assert shop.run(table="orders", lookback="1 minute") == [1, 2, 3]


@pytest.mark.parametrize(
    ("target", "lookback"), [(ORDERS, {}), (ORDERS, {"lookback": 1}), ({"table": "orders", "mode": "append"}, {})]
)
def test_a_full_refresh_reads_from_the_beginning(shop: Shop, target: dict[str, Any], lookback: dict[str, int]) -> None:
    """Rows that changed in place, or are gone, are right afterwards, and the next run goes on from there."""
    shop.orders("int", "1", "2", "3")
    shop.load(shop.extract(**lookback), target)
    shop.warehouse.sql("delete from shop.orders where at > 1")
    shop.orders("int", "2")

    extracted = shop.extract(full_refresh=True, **lookback)
    shop.load(extracted, target, full_refresh=True)

    assert ids(extracted) == [1, 4]
    assert shop.warehouse.sql("select id from mart.orders order by 1") == [(1,), (4,)]
    assert shop.watermark == "2"
    shop.orders("int", "5")
    shop.load(shop.extract(), target)
    assert shop.warehouse.sql("select id from mart.orders order by 1") == [(1,), (4,), (5,)]
