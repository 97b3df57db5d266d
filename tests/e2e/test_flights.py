"""The flights pipeline, on real days: what the warehouse says is what the source says."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests._stack import Stack, until

NEW_YORK = ZoneInfo("America/New_York")
TODAY = datetime.now(NEW_YORK).date()
DAY, OTHER_DAY = (str(TODAY - timedelta(days=days)) for days in (100, 101))

# Counted in the source, with none of the pipeline's code: the day is cut by the local calendar, not by instants.
EXPECTED = """
    select count(*) as planned,
           count(*) filter (where dep_time is null) as cancelled,
           count(dep_delay) as departed,
           sum(dep_delay) as dep_delay,
           sum(distance) filter (where dep_delay is not null) as distance,
           count(distinct tailnum) filter (where dep_delay is not null) as tailnums
    from flights
    where (time_hour at time zone 'America/New_York')::date = :'day'
"""
FOUND = """
    select (select sum(planned) from mart.daily_delays where flight_date = :'day') as planned,
           (select sum(cancelled) from mart.daily_delays where flight_date = :'day') as cancelled,
           count(*) as departed,
           sum(dep_delay) as dep_delay,
           sum(distance) as distance,
           count(distinct tailnum) as tailnums
    from mart.flights where flight_date = :'day'
"""
CONTENT = """
    select (select md5(string_agg(f::text, e'\n' order by f::text))
            from mart.flights f where flight_date = :'day') as flights,
           (select md5(string_agg(d::text, e'\n' order by d::text))
            from mart.daily_delays d where flight_date = :'day') as daily
"""


@pytest.fixture(scope="module")
def first_run(stack: Stack) -> str:
    """Give a finished run of the day."""
    stack.wait_for_dag("flights")
    return stack.run("flights", DAY)


def test_a_day_in_the_warehouse_is_that_day_of_the_source(stack: Stack, first_run: str) -> None:
    """Counts and sums, computed on both sides independently, agree."""
    expected = stack.one("source", EXPECTED, day=DAY)

    assert int(expected["departed"]) > 200  # the fewest of the year are 291, in the blizzard of 9 February
    assert stack.one("warehouse", FOUND, day=DAY) == expected


def test_every_row_is_enriched_from_the_right_row(stack: Stack, first_run: str) -> None:
    """Each flight's airline and hour of weather are those that the source has for it."""
    flights = stack.sql(
        "warehouse",
        """select carrier, flight_number as flight, origin, airline, temperature_f as temp,
                  to_char(scheduled_departure at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as departure
           from mart.flights where flight_date = :'day' order by 1, 2, 3, 6""",
        day=DAY,
    )
    source = stack.sql(
        "source",
        """select f.carrier, f.flight, f.origin, a.name as airline, w.temp,
                  to_char((f.time_hour + make_interval(mins => f.minute)) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
                      as departure
           from flights f left join airlines a using (carrier) left join weather w using (origin, time_hour)
           where (f.time_hour at time zone 'America/New_York')::date = :'day' and f.dep_time is not null
           order by 1, 2, 3, 6""",
        day=DAY,
    )

    assert flights == source


def test_the_same_day_twice_changes_nothing(stack: Stack, first_run: str) -> None:
    """A second run leaves the same rows, byte for byte, and writes none of the upserted ones."""
    before = stack.one("warehouse", CONTENT, day=DAY)

    again = stack.run("flights", DAY)

    assert stack.one("warehouse", CONTENT, day=DAY) == before
    loads = {load["dataset"]: load for load in stack.result("flights", again, "load")["loads"]}
    assert loads["flights"]["rows_inserted"] == loads["flights"]["rows_deleted"]
    assert (loads["daily_delays"]["rows_inserted"], loads["daily_delays"]["rows_updated"]) == (0, 0)


def test_another_day_does_not_touch_this_one(stack: Stack, first_run: str) -> None:
    """Each run is about its own day alone."""
    before = stack.one("warehouse", CONTENT, day=DAY)

    stack.run("flights", OTHER_DAY)

    assert stack.one("warehouse", CONTENT, day=DAY) == before
    assert stack.one("warehouse", FOUND, day=OTHER_DAY) == stack.one("source", EXPECTED, day=OTHER_DAY)


def test_the_ledger_tells_each_load(stack: Stack, first_run: str) -> None:
    """`etl.loads` has a line a run and table, with the interval and what was done."""
    lines = stack.sql(
        "warehouse",
        "select dataset, target_table, mode, rows_staged, rows_inserted, interval_start, interval_end from etl.loads "
        "where run_id = :'run' order by dataset desc",
        run=first_run,
    )

    assert [(line["dataset"], line["target_table"], line["mode"]) for line in lines] == [
        ("flights", "mart.flights", "partition"),
        ("daily_delays", "mart.daily_delays", "upsert"),
    ]
    assert lines[0]["rows_staged"] == lines[0]["rows_inserted"] == stack.one("warehouse", FOUND, day=DAY)["departed"]
    start, end = (datetime.fromisoformat(lines[0][f"interval_{end}"]) for end in ("start", "end"))
    assert start.astimezone(NEW_YORK).isoformat(" ")[:16] == f"{DAY} 00:00"
    assert end - start in {timedelta(hours=hours) for hours in (23, 24, 25)}


def test_the_book_tells_what_each_stage_took(stack: Stack, first_run: str) -> None:
    """`etl.stage_runs` has a line a stage with rows, bytes, seconds and memory; one stage reads what another wrote."""
    lines = stack.sql(
        "warehouse",
        "select *, interval_end - interval_start <= interval '25 hours' as a_day from etl.stage_runs "
        "where run_id = :'run' order by started_at",
        run=first_run,
    )

    assert [line["stage"] for line in lines] == ["extract", "transform", "load", "visualize"]
    assert {(line["state"], line["try_number"], line["exit_code"], line["a_day"]) for line in lines} == {
        ("success", "1", "0", "t")
    }
    for line in lines:
        assert 0 < int(line["peak_memory"]) < int(line["memory_limit"])
        assert 0 < float(line["cpu_seconds"]) < float(line["seconds"]) * float(line["cpus"]) * 1.1 + 1
        assert line["image"] == f"etl-platform/{line['stage']}:test"
        assert (int(line["bytes_in"]) > 0, int(line["bytes_out"]) > 0) == (True, True)
    extract, transform, load, _ = lines
    assert extract["rows_out"] == transform["rows_in"]
    assert int(transform["bytes_in"]) == int(extract["bytes_out"])
    assert transform["rows_out"] == load["rows_in"]


def test_usage_lays_it_beside_the_limits(stack: Stack, first_run: str) -> None:
    """`make usage` reads the book of the running platform, for people and for programs."""
    shown = stack.script("setup/usage.sh", "flights")
    (plain,) = json.loads(stack.script("setup/usage.sh", "flights", "--tries", "1", "--json"))

    assert "flights   extract" in shown
    assert "make check" not in shown
    assert [(stage["stage"], stage["tries"], stage["states"]) for stage in plain["stages"]] == [
        (name, 1, {"success": 1}) for name in ("extract", "transform", "load", "visualize")
    ]
    assert all(0 < stage["peak_memory"]["share"] < 1 for stage in plain["stages"])


def test_a_task_log_reads_well(stack: Stack, first_run: str) -> None:
    """Each stage tells its rows, bytes and seconds in the log that the web UI shows, a line an event."""
    for stage, event in {
        "extract": "extracted flights",
        "transform": "transformed flights",
        "load": "merged flights into mart.flights",
        "visualize": "visualize is done",
    }.items():
        lines = [line for line in stack.log("flights", first_run, stage) if line["event"].startswith(event)]
        assert len(lines) == 1, stage
        assert lines[0]["level"] == "info"
    (line,) = (line for line in stack.log("flights", first_run, "extract") if line["event"] == "extracted flights")
    assert {"rows", "bytes", "seconds"} <= line.keys()
    assert "::etl-result" not in stack.text("flights", first_run, "load")


def test_the_report_is_there_for_who_may_see_the_run(stack: Stack, first_run: str) -> None:
    """The report and its pictures are served beside the run, and to nobody without a login."""
    base = f"/reports/dags/flights/runs/{first_run}"

    page = stack.api.get(f"{base}/index.html")
    pictures = [name for name in stack.api.get(f"{base}/report.json").text.split('"') if name.endswith(".png")]

    assert page.status_code == 200
    assert "New York departures" in page.text
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert len(set(pictures)) >= 4
    assert all(stack.api.get(f"{base}/{name}").content.startswith(b"\x89PNG") for name in pictures)
    assert stack.api.get(f"{base}/index.html", headers={"Authorization": ""}).status_code == 401
    for trick in ("..%2f..%2fetc%2fpasswd", "%2e%2e", "report.json%00.html", "nothing.html"):
        assert stack.api.get(f"{base}/{trick}").status_code in {404, 400}


def test_no_container_and_no_staging_table_is_left(stack: Stack, first_run: str) -> None:
    """After a run there is nothing to tidy."""
    assert stack.stage_containers(first_run) == []
    assert stack.sql("warehouse", "select * from pg_tables where schemaname = 'staging'") == []


def test_every_volume_has_a_name(stack: Stack) -> None:
    """What has none would be left by every start, and nobody would know whose it is."""
    ours = stack.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}")
    form = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    names = set(stack.docker("inspect", "--format", form, *ours.split()).split())

    assert {name for name in names if not name.startswith(f"{stack.project}_")} == set()
    assert f"{stack.project}_postgres_data" in names


@pytest.mark.parametrize(
    ("today", "day", "hours", "empty"),
    [
        ("2024-03-20", "2024-02-29", 24, True),  # 2013 had no leap day, so its flights leave one empty
        ("2024-03-20", "2024-03-10", 23, False),
        ("2024-11-20", "2024-11-03", 25, False),
    ],
)
def test_special_days_are_days(stack: Stack, today: str, day: str, hours: int, *, empty: bool) -> None:
    """A leap day and the days of the clocks' change are loaded exactly, be they empty, short or long."""
    stack.wait_for_dag("flights")
    stack.sql("postgres", "alter role extract in database source set source.today = :'today'", today=today)
    try:
        run_id = stack.run("flights", day)
        expected = stack.one("source", f"set source.today = :'today'; {EXPECTED}", today=today, day=day)
    finally:
        stack.sql("postgres", "alter role extract in database source reset source.today")

    line = stack.one(
        "warehouse",
        "select extract(epoch from interval_end - interval_start) / 3600 as hours, rows_staged from etl.loads "
        "where run_id = :'run' and dataset = 'flights'",
        run=run_id,
    )
    assert float(line["hours"]) == hours
    assert line["rows_staged"] == expected["departed"]
    assert (expected["planned"] == "0") == empty


def test_a_scheduled_run_is_about_the_last_complete_day(stack: Stack) -> None:
    """Nobody triggers anything, and yesterday is there."""
    stack.wait_for_dag("flights")
    yesterday = str(datetime.now(NEW_YORK).date() - timedelta(days=1))
    found: list[str] = []

    def about_yesterday() -> bool:
        runs = stack.api.get("/api/v2/dags/flights/dagRuns", params={"run_type": "scheduled"}).json()["dag_runs"]
        for run in runs:
            start = datetime.fromisoformat(run["data_interval_start"]).astimezone(NEW_YORK)
            if start.isoformat(" ")[:16] == f"{yesterday} 00:00":
                found.append(run["dag_run_id"])
        return bool(found)

    until(about_yesterday, 120)

    assert stack.wait_for_run("flights", found[0]) == "success"
    assert stack.one("warehouse", FOUND, day=yesterday) == stack.one("source", EXPECTED, day=yesterday)


def test_a_backfill_loads_each_day(stack: Stack) -> None:
    """A backfill of several days, in parallel, leaves each as the source has it."""
    stack.wait_for_dag("flights")
    days = [TODAY - timedelta(days=number) for number in range(205, 200, -1)]
    body = {
        "dag_id": "flights",
        "from_date": datetime(days[0].year, days[0].month, days[0].day, tzinfo=NEW_YORK).astimezone(UTC).isoformat(),
        "to_date": datetime(days[-1].year, days[-1].month, days[-1].day, tzinfo=NEW_YORK).astimezone(UTC).isoformat(),
        "max_active_runs": 2,
    }

    answer = stack.api.post("/api/v2/backfills", json=body)

    assert answer.is_success, answer.text
    runs = stack.api.get("/api/v2/dags/flights/dagRuns", params={"run_type": "backfill"}).json()["dag_runs"]
    assert len(runs) == len(days)
    for run in runs:
        assert stack.wait_for_run("flights", run["dag_run_id"], 300) == "success"
    for day in days:
        assert stack.one("warehouse", FOUND, day=str(day)) == stack.one("source", EXPECTED, day=str(day))
