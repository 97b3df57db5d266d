"""Queries against a real PostgreSQL, as the role that only reads."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl_contract import Interval, SpecError, Unavailable
from etl_visualize import _warehouse
from etl_visualize._warehouse import PostgresWarehouse, open_warehouse
from tests.visualize.reporting import about

pytestmark = pytest.mark.integration

WHERE = "chart 1 'Delay'"


@pytest.fixture
def warehouse(admin: psycopg.Connection, uri_file: Path) -> Iterator[PostgresWarehouse]:
    """Open the warehouse with an empty table."""
    admin.execute("create table mart.flights (flight_date date, left_at timestamptz, delay numeric)")
    with open_warehouse(about(), uri_file) as opened:
        yield opened


def _one(warehouse: PostgresWarehouse, sql: str) -> dict[str, Any]:
    (row,) = warehouse.rows(sql, WHERE).rows
    return row


def _refusal(warehouse: PostgresWarehouse, sql: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        warehouse.rows(sql, WHERE)
    return caught.value


def test_the_interval_is_bound(warehouse: PostgresWarehouse) -> None:
    """Two instants and two days, each with its own type; a day means midnight of the pipeline's time zone."""
    row = _one(
        warehouse,
        """select pg_typeof(:start)::text as s, :start as at, :end - :start as length, :first_day as first,
           pg_typeof(:last_day)::text as d, :last_day - 30 as before, :first_day >= :start as same""",
    )

    assert row == {
        "s": "timestamp with time zone",
        "at": "2026-07-01T00:00:00",
        "length": 86400.0,
        "first": "2026-07-01",
        "d": "date",
        "before": "2026-06-01",
        "same": True,
    }


def test_the_interval_before_is_bound_where_that_is_asked_for(warehouse: PostgresWarehouse) -> None:
    """A figure's query then gives the number that it is compared with."""
    (row,) = warehouse.rows("select :first_day as first, :end as ends", WHERE, before=True).rows

    assert row == {"first": "2026-06-30", "ends": "2026-07-01T00:00:00"}


@pytest.mark.parametrize(("there", "more"), [(2, False), (3, False), (4, True)])
def test_the_first_rows_are_taken(warehouse: PostgresWarehouse, there: int, *, more: bool) -> None:
    """And it is known whether there are others."""
    table = warehouse.first("select n from generate_series(1, there) as n".replace("there", str(there)), WHERE, 3)

    assert [row["n"] for row in table.rows] == [1, 2, 3][:there]
    assert table.more is more


def test_sql_is_left_as_it_is(warehouse: PostgresWarehouse) -> None:
    """Casts, percent signs, clock formats, comments, a closing semicolon and `with` need no escape."""
    sql = """-- 100 % of them
      with a as (select '10:30'::time as t, 7 % 4 as rest, 'a%' like '%' as likes)
      select to_char(t, 'HH24:MI') as clock, rest, likes from a;"""

    assert _one(warehouse, sql) == {"clock": "10:30", "rest": 3, "likes": True}


@pytest.mark.parametrize(
    ("sql", "problem", "place", "hint"),
    [
        (
            "select hour,\n  avg(dely)\nfrom mart.flights\nwhere flight_date >= :start",
            'column "hour" does not exist.',
            "line 1 of its sql (select hour,)",
            "Correct the query.",
        ),
        (
            "select delay, left_at >= :start, left_at < :end,\n  avg(dely)\nfrom mart.flights",
            'column "dely" does not exist.',
            "line 2 of its sql (avg(dely))",
            'Perhaps you meant to reference the column "flights.delay".',
        ),
        (
            "select *\nfrom mart.nowhere",
            'relation "mart.nowhere" does not exist.',
            "line 2 of its sql (from mart.nowhere)",
            "Correct",
        ),
        ("select '%' from", "syntax error at end of input.", "line 1 of its sql (select '%' from)", "Correct"),
        ("select 1 / 0", "division by zero.", "its sql", "Correct the query."),
        ("select 1; select 2", "cannot insert multiple commands into a prepared statement.", "its sql", "Correct"),
        ("delete from mart.flights", 'syntax error at or near "delete".', "line 1 of its sql", "Correct"),
        ("select pg_read_file('/etc/passwd')", "permission denied for function pg_read_file.", "its sql", "Correct"),
        ("select 1 as a, 2 as a", "the result has two columns named a", "", "Give each its own name with 'as'."),
        ("select :yesterday", "no value for :yesterday", "its sql", "Use :start, :end, :first_day, :last_day;"),
    ],
)
def test_a_mistake_is_told_by_its_line(
    warehouse: PostgresWarehouse, sql: str, problem: str, place: str, hint: str
) -> None:
    """With PostgreSQL's words and hint, the chart's title, and the author's own line."""
    error = _refusal(warehouse, sql)

    assert error.problem == problem
    assert error.where.startswith(f"{WHERE}, {place}".removesuffix(", "))
    assert error.hint.startswith(hint)


def test_one_mistake_does_not_hide_the_next_chart(warehouse: PostgresWarehouse) -> None:
    """Each query runs under a savepoint of its own."""
    _refusal(warehouse, "select nothing")
    _refusal(warehouse, "select nowhere")

    assert _one(warehouse, "select 1 as n") == {"n": 1}


def test_all_charts_see_one_moment(warehouse: PostgresWarehouse, admin: psycopg.Connection) -> None:
    """What is loaded while the report is made belongs to the next one."""
    count = "select count(*) as n from mart.flights"
    before = _one(warehouse, count)
    admin.execute("insert into mart.flights (delay) values (1)")

    assert _one(warehouse, count) == before == {"n": 0}


def test_nothing_can_be_written(warehouse: PostgresWarehouse, admin: psycopg.Connection) -> None:
    """The transaction is read-only, whatever the role may do."""
    admin.execute("grant all on all tables in schema mart to report")
    admin.execute(
        "create function mart.spoil() returns int language sql volatile as 'delete from mart.flights; select 1'"
    )

    assert _refusal(warehouse, "select mart.spoil()").problem == "cannot execute DELETE in a read-only transaction."


def test_a_slow_query_ends(admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, uri_file: Path) -> None:
    """It is an error to mend, not one to retry."""
    monkeypatch.setattr(_warehouse, "STATEMENT_SECONDS", 1)
    with open_warehouse(about(), uri_file) as hasty:
        error = _refusal(hasty, "select pg_sleep(30)")

    assert error.problem == "takes longer than 1 s"
    assert error.hint == "Aggregate less at once, or add an index."
    assert not admin.broken


def test_more_rows_than_a_chart_can_show_are_not_read(
    warehouse: PostgresWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A careless query costs neither memory nor time."""
    monkeypatch.setattr(_warehouse, "MOST_ROWS", 10)

    assert warehouse.rows("select * from generate_series(1, 10) as n", WHERE).more is False
    assert warehouse.rows("select generate_series(1, 2000000000) as n", WHERE).more is True


def test_columns_of_an_empty_result_are_known(warehouse: PostgresWarehouse) -> None:
    """No rows is an answer too."""
    empty = warehouse.rows("select flight_date, delay from mart.flights", WHERE)

    assert list(empty.columns) == ["flight_date", "delay"]
    assert empty.rows == []


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (
            Interval(
                start=datetime(2026, 3, 8, 5, tzinfo=UTC),
                end=datetime(2026, 3, 9, 4, tzinfo=UTC),
                timezone="America/New_York",
            ),
            23,
        ),
        (
            Interval(
                start=datetime(2026, 11, 1, 4, tzinfo=UTC),
                end=datetime(2026, 11, 2, 5, tzinfo=UTC),
                timezone="America/New_York",
            ),
            25,
        ),
    ],
    ids=["spring", "autumn"],
)
def test_days_of_a_change_of_clocks_have_their_hours(
    admin: psycopg.Connection, uri_file: Path, day: Interval, hours: int
) -> None:
    """Spring's has 23, autumn's 25; all of them belong to one local day."""
    del admin
    with open_warehouse(about(day), uri_file) as opened:
        sql = """select count(*) as hours, min(t::date) as first, max(t::date) as last
                 from generate_series(:start, :end - interval '1 hour', interval '1 hour') as t"""
        row = _one(opened, sql)

    assert row == {"hours": hours, "first": str(day.first_day), "last": str(day.first_day)}


def test_parameters_are_bound_by_name(admin: psycopg.Connection, uri_file: Path) -> None:
    """Each keeps its type, whatever its value looks like; the interval before has the same ones."""
    del admin
    params = {"origin": "J'FK; --", "most": 3_000_000_000, "share": 0.5, "on": True, "since": date(2026, 1, 31)}
    sql = "select :origin as origin, :most as most, :share as share, :on as on, :since - 30 as since"
    with open_warehouse(about(**params), uri_file) as opened:
        rows = [_one(opened, sql), *opened.rows(sql, WHERE, before=True).rows]

    assert rows == [{"origin": "J'FK; --", "most": 3_000_000_000, "share": 0.5, "on": True, "since": "2026-01-01"}] * 2


def test_a_server_that_does_not_answer_is_worth_another_try(tmp_path: Path) -> None:
    """The error names the server, and no password."""
    (tmp_path / "uri").write_text("postgresql://report:a-secret@127.0.0.1:9/warehouse\n")
    with pytest.raises(Unavailable, match="Connection refused") as caught, open_warehouse(about(), tmp_path / "uri"):
        pass

    assert caught.value.where == "warehouse at 127.0.0.1:9"
    assert "a-secret" not in str(caught.value)


def test_a_wrong_password_is_not_told(report_uri: str, tmp_path: Path) -> None:
    """Secrets may be changing at this moment, so it is worth another try."""
    (tmp_path / "uri").write_text(report_uri.replace("a-secret", "an-old-secret"))
    with (
        pytest.raises(Unavailable, match="password authentication failed") as caught,
        open_warehouse(about(), tmp_path / "uri"),
    ):
        pass

    assert "an-old-secret" not in str(caught.value)


def test_a_connection_lost_on_the_way_is_worth_another_try(
    warehouse: PostgresWarehouse, admin: psycopg.Connection
) -> None:
    """The server was restarted, or the network cut, while a chart was computed."""

    def cut() -> None:
        time.sleep(0.5)
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'etl visualize'")

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(Unavailable, match="terminating connection due to administrator command"):
        warehouse.rows("select pg_sleep(20)", WHERE)
    thread.join()
