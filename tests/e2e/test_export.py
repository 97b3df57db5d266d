"""The pipeline flights_export: started by the change of mart.flights, it writes the day for others."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests._stack import ROOT, Stack, until

DAY = str(datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=120))
SUMMARY = """
    select origin, carrier, count(*) as departures, sum(distance) as miles
    from mart.flights where flight_date = :'day' group by 1, 2 order by 1, 2
"""


@pytest.fixture(scope="module")
def export(stack: Stack) -> Iterator[dict[str, Any]]:
    """Load a day of flights, and give the result of the load that its change started."""
    stack.wait_for_dag("flights")
    text = (ROOT / "config" / "pipelines" / "flights_export.yaml").read_text()
    with stack.pipeline("flights_export", {"flights_export.yaml": text}):
        stack.run("flights", DAY)
        found: list[str] = []

        def has_run_about_the_day() -> bool:
            """Look for the run whose events are of the day; other loads may have started others, or joined it."""
            answer = stack.api.get("/api/v2/dags/flights_export/dagRuns", params={"order_by": "-run_after"}).json()
            for run in answer["dag_runs"]:
                if run["run_type"] == "asset_triggered" and run["state"] == "success":
                    result = stack.result("flights_export", run["dag_run_id"], "load")
                    manifest = json.loads(_file(stack, result["exports"][0]["uri"] + ".manifest.json"))
                    if manifest["interval"]["start"][:10] <= DAY < manifest["interval"]["end"][:10]:
                        found.append(run["dag_run_id"])
            return bool(found)

        until(has_run_about_the_day, 180, every=2)
        yield stack.result("flights_export", found[0], "load")


def _file(stack: Stack, uri: str) -> str:
    """Read a file of the volume."""
    volume = ["--volume", "etl-test_exports:/exports:ro", "--entrypoint", "cat", "etl-platform/load:test"]
    return stack.docker("run", "--rm", "--network", "none", *volume, uri.removeprefix("file://"))


def test_a_load_starts_the_export_of_its_day(stack: Stack, export: dict[str, Any]) -> None:
    """The files hold what the warehouse has of the day, and say so."""
    as_csv, as_json = (_file(stack, written["uri"]) for written in export["exports"])
    lines = [line for line in csv.DictReader(io.StringIO(as_csv)) if line["flight_date"] == DAY]
    expected = stack.sql("warehouse", SUMMARY, day=DAY)

    assert expected
    assert [{name: line[name] for name in expected[0]} for line in lines] == expected
    assert len(json.loads(as_json)) == len(list(csv.DictReader(io.StringIO(as_csv))))


def test_a_change_is_seen_in_airflow(stack: Stack, export: dict[str, Any]) -> None:
    """The asset's event tells the rows, the interval and the pipeline."""
    events = stack.api.get("/api/v2/assets/events", params={"order_by": "-timestamp", "limit": 50}).json()
    extras = [event["extra"] for event in events["asset_events"] if event["name"] == "mart.flights"]

    (extra,) = [extra for extra in extras if extra.get("start", "")[:10] == DAY][:1]
    assert extra["pipeline"] == "flights"
    assert int(extra["rows"]) > 500
