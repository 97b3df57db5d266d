"""A run as it was asked for: about a span of time, dry, or wrong; and what people then do to it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests._stack import Stack, until

YAML = """\
description: A pipeline of the tests that takes a few seconds
params:
  most: {default: 3, description: How many rows each day has.}
extract:
  visits:
    sql: warehouse
    query: |
      select cast(day as date) as day, n, pg_sleep(PAUSE)::text as pause
      from generate_series(cast(:first_day as date), cast(:last_day as date), interval '1 day') as day,
           generate_series(1, :most) as n
load:
  visits: {table: mart.visits, mode: append}
visualize:
  title: Visits
  charts:
    - title: By day
      sql: select day, count(*) as n from mart.visits group by 1
      mark: bar
      encoding: {x: "day:T", y: "n:Q"}
"""
WAITING = """\
description: A pipeline of the tests that starts when visits have changed
schedule: {any_changed: [mart.visits, mart.nothing]}
paused: true
extract:
  visits: {sql: warehouse, table: mart.visits, columns: [day]}
load:
  visits: {table: mart.visited, mode: replace}
"""
CLOCK = """\
description: A pipeline of the tests that would start each minute
schedule: "* * * * *"
paused: true
extract:
  now: {sql: warehouse, query: select 1 as one}
load:
  now: {table: mart.clock, mode: replace}
"""


@pytest.fixture(scope="module")
def visits(stack: Stack) -> Iterator[str]:
    """Give a pipeline whose extract takes as long as its rows, and two that are switched off."""
    others = {"waiting.yaml": WAITING, "clock.yaml": CLOCK}
    with stack.pipeline("visits", {"visits.yaml": YAML.replace("PAUSE", "0.05"), **others}) as name:
        yield name


@pytest.fixture
def empty(stack: Stack, visits: str) -> str:
    """Give the pipeline before its first run."""
    until(lambda: not stack.runs_now(visits), 180)
    for run in stack.api.get(f"/api/v2/dags/{visits}/dagRuns").raise_for_status().json()["dag_runs"]:
        stack.api.delete(f"/api/v2/dags/{visits}/dagRuns/{run['dag_run_id']}").raise_for_status()
    stack.sql("warehouse", "drop table if exists mart.visits; delete from etl.loads where pipeline = 'visits'")
    return visits


def _ask(stack: Stack, **conf: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    body = {"logical_date": datetime.now(UTC).isoformat(), "conf": conf}
    return stack.api.post("/api/v2/dags/visits/dagRuns", json=body)


def _run(stack: Stack, **conf: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON
    """Trigger a run; give its id and how it ended."""
    run_id = _ask(stack, **conf).raise_for_status().json()["dag_run_id"]
    return run_id, stack.wait_for_run("visits", run_id, 180)


def _days(stack: Stack) -> dict[str, str]:
    """Give how many rows there are of each day."""
    found = stack.sql("warehouse", "select day, count(*) as rows from mart.visits group by 1 order by 1")
    return {row["day"]: row["rows"] for row in found}


def _loads(stack: Stack) -> int:
    """Count the lines of the ledger."""
    return int(stack.one("warehouse", "select count(*) from etl.loads where pipeline = 'visits'")["count"])


def _states(stack: Stack, run_id: str) -> dict[str, str]:
    return {name: task["state"] for name, task in stack.tasks("visits", run_id).items()}


def _tries(stack: Stack, run_id: str) -> list[int]:
    tasks = stack.tasks("visits", run_id)
    return [tasks[name]["try_number"] for name in ("extract", "load", "visualize")]


def _clear(stack: Stack, run_id: str, task: str, **how: bool) -> None:
    """Clear a task as the web UI does, and wait until its run is over again."""
    body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task], "only_failed": False, **how}
    stack.api.post("/api/v2/dags/visits/clearTaskInstances", json=body).raise_for_status()
    until(lambda: not stack.runs_now("visits"), 240)


def test_a_span_of_time_is_one_run(stack: Stack, empty: str) -> None:
    """From the first day to the last, which belongs to it, with a parameter of its own."""
    assert empty
    _, state = _run(stack, start="2026-01-30", end="2026-02-01", most=2)

    assert state == "success"
    assert _days(stack) == {"2026-01-30": "2", "2026-01-31": "2", "2026-02-01": "2"}


def test_a_day_of_a_span_is_not_added_again(stack: Stack, empty: str) -> None:
    """By mode append its rows would be there twice: the run fails and says so, and the span may be run again."""
    assert empty
    span = {"start": "2026-01-30", "end": "2026-01-31"}
    _run(stack, **span)

    run_id, state = _run(stack, day="2026-01-31")

    assert state == "failed"
    assert "mart.visits has the rows of 2026-01-30 to 2026-01-31 from the run" in stack.text("visits", run_id, "load")
    assert _run(stack, **span)[1] == "success"
    assert _days(stack) == {"2026-01-30": "3", "2026-01-31": "3"}


def test_a_dry_run_stops_before_load(stack: Stack, empty: str) -> None:
    """Its log shows rows, columns and first rows; the warehouse and its books know nothing of it."""
    assert empty
    run_id, state = _run(stack, day="2026-01-31", dry_run=True)

    assert state == "success"
    assert _states(stack, run_id) == {"extract": "success", "load": "skipped", "visualize": "skipped"}
    log = stack.text("visits", run_id, "load")
    assert "visits: 3 rows would go into mart.visits by append" in log
    assert "'day': 'date', 'n': 'bigint'" in log
    assert log.count("visits: one of its rows") == 3
    assert stack.one("warehouse", "select to_regclass('mart.visits') is null as missing") == {"missing": "t"}
    assert _loads(stack) == 0


def test_a_wish_that_cannot_be_fails_at_once_with_every_reason(stack: Stack, visits: str) -> None:
    """Where a field alone tells, Airflow refuses the run; the rest stands in the log of the first task."""
    refused = _ask(stack, day="31.1.2026")

    run_id, state = _run(stack, day="2126-01-31", start="2026-01-31", full_refresh=True)

    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert "is not a 'date'" in refused.text
    assert state == "failed"
    log = stack.text(visits, run_id, "extract")
    assert "the run cannot be, for 6 reasons" in log
    assert "day: 2126-01-31 lies in the future" in log
    assert stack.tasks(visits, run_id)["extract"]["try_number"] == 1


def test_the_command_asks_for_the_same(stack: Stack, empty: str) -> None:
    """`make run` with its options shows what would be loaded."""
    said = stack.compose(
        "exec", "-T", "--env", "PYTHONPATH=/opt/airflow/plugins", "airflow-apiserver", "python", "-m", "etl_platform",
        "run", empty, "--start", "2026-01-30", "--end", "2026-01-31", "--param", "most=1", "--dry-run",
    )  # fmt: skip

    assert "visits: trying 2026-01-30 to 2026-01-31" in said
    assert 'visits: 2 rows would go into mart.visits by append: {"day": "date", "n": "bigint"' in said
    assert '"day": "2026-01-31", "n": "1"' in said
    assert "Report:" not in said


def test_what_is_cleared_repeats_exactly(stack: Stack, empty: str) -> None:
    """Load alone, all that follows extract, and load of all days before: the table stays as it was."""
    assert empty
    runs = [_run(stack, day=day)[0] for day in ("2026-01-30", "2026-01-31")]
    expected = _days(stack)
    last = runs[-1]

    _clear(stack, last, "load")
    assert _tries(stack, last) == [1, 2, 1]
    assert _days(stack) == expected
    _clear(stack, last, "extract", include_downstream=True)
    assert _tries(stack, last) == [2, 3, 2]
    assert _days(stack) == expected
    _clear(stack, last, "load", include_past=True)

    assert [_tries(stack, run_id) for run_id in runs] == [[1, 2, 1], [2, 4, 2]]
    assert _days(stack) == expected == {"2026-01-30": "3", "2026-01-31": "3"}
    assert _loads(stack) == 2
    assert {_states(stack, run_id)["load"] for run_id in runs} == {"success"}


def test_a_stage_that_is_marked_as_done_ends_and_tells_what_is_missing(stack: Stack, empty: str) -> None:
    """Its container is gone within seconds; the next stage has nothing to work on, and says what to clear."""
    assert empty
    run_id = _ask(stack, day="2026-01-31", most=1000).raise_for_status().json()["dag_run_id"]
    until(lambda: [each["stage"] for each in stack.stage_containers(run_id)] == ["extract"], 120, every=0.2)

    path = f"/api/v2/dags/visits/dagRuns/{run_id}/taskInstances/extract"
    stack.api.patch(path, json={"new_state": "success"}).raise_for_status()

    until(lambda: not any(each["stage"] == "extract" for each in stack.stage_containers(run_id)), 20)
    assert stack.wait_for_run("visits", run_id) == "failed"
    assert "Stage extract left no result. Clear it, and those after it;" in stack.text("visits", run_id, "load")
    assert stack.stage_containers(run_id) == []


def test_a_run_that_is_marked_as_failed_ends(stack: Stack, empty: str) -> None:
    """Its container is stopped, what waits does not begin, and nothing is loaded."""
    assert empty
    run_id = _ask(stack, day="2026-01-31", most=1000).raise_for_status().json()["dag_run_id"]
    until(lambda: [each["stage"] for each in stack.stage_containers(run_id)] == ["extract"], 120, every=0.2)

    stack.api.patch(f"/api/v2/dags/visits/dagRuns/{run_id}", json={"state": "failed"}).raise_for_status()

    until(lambda: stack.stage_containers(run_id) == [], 20)
    assert stack.run_state("visits", run_id) == "failed"
    assert _states(stack, run_id)["extract"] == "failed"
    assert _loads(stack) == 0


def test_a_pipeline_that_is_switched_off_starts_neither_by_clock_nor_by_change(stack: Stack, empty: str) -> None:
    """A minute passes and a table changes; once it is switched on, the next change starts it."""
    assert empty
    stack.api.patch("/api/v2/dags/waiting", json={"is_paused": True}).raise_for_status()
    assert _run(stack, day="2026-01-29")[1] == "success"
    until(lambda: datetime.now(UTC).second < 5, 60)

    def runs(dag_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = stack.api.get(f"/api/v2/dags/{dag_id}/dagRuns").json()["dag_runs"]
        return found

    assert runs("clock") == []
    assert runs("waiting") == []
    stack.wait_for_dag("waiting")
    assert _run(stack, day="2026-01-30")[1] == "success"
    until(lambda: bool(runs("waiting")), 120)
    stack.wait_for_run("waiting", runs("waiting")[0]["dag_run_id"])
    assert runs("waiting")[0]["state"] == "success"
    assert runs("waiting")[0]["run_type"] == "asset_triggered"
