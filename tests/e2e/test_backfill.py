"""Many days at once, by REST, clicks and command: each is loaded exactly once, in any order, and after any break."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests._browser import shoot
from tests._stack import OVER, Stack, until
from tests.e2e.visiting import origin, visiting

NEW_YORK = ZoneInfo("America/New_York")
# Thirty days each. The clocks change in two of them: the first day has 25 hours, and one of March has 23.
BY_REST = "2025-11-02/2025-12-01"
BY_CLICKS = "2025-09-01/2025-09-30"
BY_COMMAND = "2024-03-03/2024-04-01"
AGAIN = "2025-06-01/2025-06-03"
BROKEN_OFF = "2025-07-01/2025-07-05"
MODES = ("append", "partition", "upsert")
PARALLEL = 3
LONG = 1500  # seconds that thirty days may take on a busy machine

# Three ways into the warehouse; a day has as many rows as the number of its day, and twenty more.
SALES = """\
description: A pipeline of the tests, of days of different size
schedule: "@daily"
timezone: America/New_York
extract:
  append: &day
    sql: warehouse
    query: |
      select cast(:first_day as date) as day, n, :first_day || ' ' || n as note
      from generate_series(1, 20 + extract(day from cast(:first_day as date))::int) as n
  partition: *day
  upsert: *day
load:
  append: {table: mart.sales_append, mode: append}
  partition: {table: mart.sales_partition, mode: partition, partition: day}
  upsert: {table: mart.sales_upsert, mode: upsert, key: [day, n]}
"""
PRICES = """\
description: A pipeline of the tests that keeps history
schedule: "@daily"
timezone: America/New_York
extract:
  prices:
    sql: warehouse
    query: select 'pen' as item, extract(day from cast(:first_day as date))::int as price
load:
  prices: {table: mart.prices, mode: history, key: [item]}
"""
CLEAN = """
    select day::date, n, day::date || ' ' || n as note
    from generate_series(:'first'::date, :'last'::date, interval '1 day') as day,
         generate_series(1, 20 + extract(day from day)::int) as n
"""


@pytest.fixture(scope="module")
def sales(stack: Stack) -> Iterator[str]:
    """Give a pipeline that loads a day within seconds, by append, partition and upsert."""
    with stack.pipeline("sales", {"sales.yaml": SALES, "prices.yaml": PRICES}) as name:
        yield name


def _midnight(day: str) -> str:
    """Give the instant at which a day begins in New York, with its offset."""
    return datetime.fromisoformat(day).replace(tzinfo=NEW_YORK).isoformat()


def _body(dag_id: str, days: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    first, last = days.split("/")
    return {"dag_id": dag_id, "from_date": _midnight(first), "to_date": _midnight(last), **more}


def _has_run(stack: Stack, dag_id: str) -> bool:
    """Tell whether a run of a pipeline has succeeded, and none is under way."""
    runs = stack.api.get(f"/api/v2/dags/{dag_id}/dagRuns").raise_for_status().json()["dag_runs"]
    return {run["state"] for run in runs} == {"success"}


def _start(stack: Stack, dag_id: str, days: str, **more: Any) -> int:  # noqa: ANN401 - JSON
    """Start a backfill, as the web UI does, as soon as one may begin; give its number."""
    until(lambda: _none_is_under_way(stack, dag_id), 180)
    answer = stack.api.post("/api/v2/backfills", json=_body(dag_id, days, **more))
    assert answer.is_success, answer.text
    return int(answer.json()["id"])


def _none_is_under_way(stack: Stack, dag_id: str) -> bool:
    """Tell whether another backfill may begin: Airflow allows a pipeline one at a time."""
    found = stack.api.get("/api/v2/backfills", params={"dag_id": dag_id}).raise_for_status().json()["backfills"]
    return all(backfill["completed_at"] for backfill in found)


def _runs(stack: Stack, dag_id: str, days: str) -> dict[str, str]:
    """Give the states of the runs about these days, by the day."""
    first, last = days.split("/")
    query = {"logical_date_gte": _midnight(first), "logical_date_lte": _midnight(last), "limit": "100"}
    found = stack.api.get(f"/api/v2/dags/{dag_id}/dagRuns", params=query).raise_for_status().json()["dag_runs"]
    return {
        str(datetime.fromisoformat(run["logical_date"]).astimezone(NEW_YORK).date()): run["state"]
        for run in sorted(found, key=lambda run: str(run["logical_date"]))
    }


def _run_id(stack: Stack, dag_id: str, day: str) -> str:
    query = {"logical_date_gte": _midnight(day), "logical_date_lte": _midnight(day)}
    (run,) = stack.api.get(f"/api/v2/dags/{dag_id}/dagRuns", params=query).json()["dag_runs"]
    return str(run["dag_run_id"])


def _most_at_once(stack: Stack, dag_id: str, days: str) -> int:
    """Wait for the runs about these days; give how many were seen under way at once."""
    at_once = []

    def over() -> bool:
        states = _runs(stack, dag_id, days).values()
        at_once.append(sum(state == "running" for state in states))
        return len(states) == len(_days(days)) and OVER.issuperset(states)

    until(over, LONG)
    return max(at_once)


def _all_over(stack: Stack, dag_id: str, days: str) -> bool:
    return OVER.issuperset(_runs(stack, dag_id, days).values())


def _is_as_a_clean_load(stack: Stack, days: str) -> None:
    """Compare each table, row by row, with what a clean load of the days would give; and the ledger."""
    first, last = days.split("/")
    for mode in MODES:
        table = f"select day, n, note from mart.sales_{mode} where day between :'first' and :'last'"  # noqa: S608
        for more, less in ((table, CLEAN), (CLEAN, table)):
            differ = stack.sql("warehouse", f"({more}) except all ({less})", first=first, last=last)
            assert differ == [], mode
    loads = stack.sql(
        "warehouse",
        """select dataset, count(*) as loads, count(distinct interval_start) as days, sum(rows_staged) as rows
           from etl.loads where pipeline = 'sales' and interval_start >= :'first' and interval_start <= :'last'
           group by 1 order by 1""",
        first=_midnight(first),
        last=_midnight(last),
    )
    days_of_it = [date.fromisoformat(first) + timedelta(days=n) for n in range(len(_days(days)))]
    rows = str(sum(20 + day.day for day in days_of_it))
    count = str(len(days_of_it))
    assert loads == [{"dataset": mode, "loads": count, "days": count, "rows": rows} for mode in MODES]


def _days(days: str) -> list[str]:
    first, last = map(date.fromisoformat, days.split("/"))
    return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def test_thirty_days_in_parallel_are_as_a_clean_load(stack: Stack, sales: str) -> None:
    """Each day once in each table and in the ledger, a day of 25 hours too; never more at once than was asked for."""
    _start(stack, sales, BY_REST, max_active_runs=PARALLEL)
    at_once = _most_at_once(stack, sales, BY_REST)

    assert _runs(stack, sales, BY_REST) == dict.fromkeys(_days(BY_REST), "success")
    assert 1 < at_once <= PARALLEL
    _is_as_a_clean_load(stack, BY_REST)
    assert stack.stage_containers() == []


def test_thirty_days_by_clicks_are_as_a_clean_load(stack: Stack, sales: str) -> None:
    """In the web UI, whose clock is set to the pipeline's: the form counts the days, and starts them two at a time."""
    until(lambda: _none_is_under_way(stack, sales), 180)
    first, last = BY_CLICKS.split("/")
    with visiting(stack) as page:
        page.goto(f"{origin(page)}/dags/{sales}")
        page.get_by_role("button", name="+00:00").click()
        zones = page.get_by_role("dialog").get_by_role("combobox")
        zones.fill("New_York")
        page.get_by_text("America/New_York").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Trigger").first.click()
        page.get_by_text("Run this Dag for a range of dates").click()
        form = page.locator("[role=dialog][data-scope=dialog][data-state=open]")
        for day in (first, last):
            form.get_by_text("Select date and time").first.click()
            calendar = page.locator("[data-scope=popover][data-state=open]")
            calendar.get_by_placeholder("YYYY/MM/DD").fill(day.replace("-", "/"))
            calendar.get_by_placeholder("HH:mm").fill("00:00")
            page.keyboard.press("Escape")
        form.locator("input[name=max_active_runs]").fill("2")
        expect(form.get_by_text("30 runs will be triggered.")).to_be_visible()
        shoot(page, "stack backfill form")
        form.get_by_role("button", name="Run Backfill").click()
        expect(page.get_by_text("Backfill in progress")).to_be_visible()
        shoot(page, "stack backfill")
    at_once = _most_at_once(stack, sales, BY_CLICKS)

    assert _runs(stack, sales, BY_CLICKS) == dict.fromkeys(_days(BY_CLICKS), "success")
    assert at_once == 2
    _is_as_a_clean_load(stack, BY_CLICKS)


def test_what_is_done_again_is_what_was_asked_for(stack: Stack, sales: str) -> None:
    """Nothing of what has a run; or what failed; or all of it. The tables have each day once in any case."""
    _start(stack, sales, AGAIN, max_active_runs=PARALLEL)
    until(lambda: _all_over(stack, sales, AGAIN) and _none_is_under_way(stack, sales), 180)
    stack.sql("warehouse", "delete from mart.sales_append where day = '2025-06-02'")
    run = f"/api/v2/dags/{sales}/dagRuns/{_run_id(stack, sales, '2025-06-02')}"
    stack.api.patch(run, json={"state": "failed"}).raise_for_status()

    def again(behavior: str) -> list[str]:
        wanted = stack.api.post("/api/v2/backfills/dry_run", json=_body(sales, AGAIN, reprocess_behavior=behavior))
        at = [datetime.fromisoformat(run["logical_date"]) for run in wanted.raise_for_status().json()["backfills"]]
        return [str(moment.astimezone(NEW_YORK).date()) for moment in at]

    assert (again("none"), again("failed"), again("completed")) == ([], ["2025-06-02"], _days(AGAIN))
    first, last = map(_midnight, AGAIN.split("/"))
    for behavior in ("failed", "completed"):
        command = ["airflow", "backfill", "create", "--dag-id", sales, "--from-date", first, "--to-date", last]
        stack.compose("exec", "-T", "airflow-apiserver", *command, "--reprocess-behavior", behavior)
        until(lambda: _all_over(stack, sales, AGAIN), 180)
        _is_as_a_clean_load(stack, AGAIN)
        until(lambda: _none_is_under_way(stack, sales), 180)


def test_a_backfill_that_is_cancelled_goes_on_later(stack: Stack, sales: str) -> None:
    """What is under way ends, what waits does not begin; the same range again does the rest, and only that."""
    backfill = _start(stack, sales, BROKEN_OFF, max_active_runs=1)
    until(lambda: "success" in _runs(stack, sales, BROKEN_OFF).values(), 180)

    stack.api.put(f"/api/v2/backfills/{backfill}/cancel").raise_for_status()
    until(lambda: _all_over(stack, sales, BROKEN_OFF), 180)

    states = list(_runs(stack, sales, BROKEN_OFF).values())
    assert states == sorted(states, reverse=True)  # in the order of the days: first what succeeded, then what failed
    assert states[-1] == "failed"
    _start(stack, sales, BROKEN_OFF, max_active_runs=PARALLEL, reprocess_behavior="failed")
    until(lambda: set(_runs(stack, sales, BROKEN_OFF).values()) == {"success"}, 180)
    _is_as_a_clean_load(stack, BROKEN_OFF)


def test_a_day_for_all_runs_of_a_backfill_is_refused(stack: Stack, sales: str) -> None:
    """The form has that field, too; nothing is loaded."""
    day = "2025-05-01"
    _start(stack, sales, f"{day}/{day}", dag_run_conf={"day": "2025-05-02"})
    until(lambda: _all_over(stack, sales, f"{day}/{day}"), 180)

    assert _runs(stack, sales, f"{day}/{day}") == {day: "failed"}
    said = stack.text(sales, _run_id(stack, sales, day), "extract")
    assert "day: each run of a backfill is about its own interval; leave day empty" in said
    assert stack.sql("warehouse", "select * from mart.sales_append where day in ('2025-05-01', '2025-05-02')") == []


def test_history_that_runs_backwards_is_refused_and_stays_right(stack: Stack, sales: str) -> None:
    """A day before the last that was loaded could not be told apart from it; the day after is loaded as ever."""
    assert sales
    stack.wait_for_dag("prices")
    days = "2024-03-01/2024-03-02"
    until(lambda: _has_run(stack, "prices"), 180)  # as the schedule wants it; it would be after all that follows
    stack.sql("warehouse", "drop table if exists mart.prices; delete from etl.loads where pipeline = 'prices'")

    _start(stack, "prices", days, max_active_runs=1, run_backwards=True)
    until(lambda: _all_over(stack, "prices", days), 180)

    assert _runs(stack, "prices", days) == {"2024-03-01": "failed", "2024-03-02": "success"}
    said = stack.text("prices", _run_id(stack, "prices", "2024-03-01"), "load")
    assert "mart.prices has been loaded up to 2024-03-02 00:00, after the interval 2024-03-01" in said
    assert "History grows in the order of time" in said
    assert stack.sql("warehouse", "select price, is_current from mart.prices") == [{"price": "2", "is_current": "t"}]


def test_thirty_days_of_history_by_command_are_in_their_order(stack: Stack, sales: str) -> None:
    """One after the other: each version begins where the one before it ends, in a day of 23 hours, too."""
    assert sales
    until(lambda: _none_is_under_way(stack, "prices"), 180)
    first, last = BY_COMMAND.split("/")
    days = ["--from-date", _midnight(first), "--to-date", _midnight(last), "--max-active-runs", "1"]
    command = ["airflow", "backfill", "create", "--dag-id", "prices", *days]
    stack.compose("exec", "-T", "airflow-apiserver", *command)
    at_once = _most_at_once(stack, "prices", BY_COMMAND)

    assert _runs(stack, "prices", BY_COMMAND) == dict.fromkeys(_days(BY_COMMAND), "success")
    assert at_once == 1
    versions = stack.sql(
        "warehouse",
        """select price, (valid_from at time zone 'America/New_York')::date as day,
                  valid_to = lead(valid_from) over (order by valid_from) as meets, is_current
           from mart.prices where valid_from >= :'first' order by valid_from""",
        first=_midnight(first),
    )
    assert [(line["day"], line["price"]) for line in versions] == [
        (day, str(date.fromisoformat(day).day)) for day in _days(BY_COMMAND)
    ]
    assert [line["meets"] for line in versions] == ["t"] * 29 + [""]
    assert [line["is_current"] for line in versions] == ["f"] * 29 + ["t"]
