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
def change(stack: Stack) -> Iterator[dict[str, Any]]:
    """Load a day of flights, and give the event that this leaves in Airflow; the run that it starts is over."""
    stack.wait_for_dag("flights")
    text = (ROOT / "config" / "pipelines" / "flights_export.yaml").read_text()
    with stack.pipeline("flights_export", {"flights_export.yaml": text}):
        loaded = stack.run("flights", DAY)
        until(lambda: bool(_started_by(stack, _change(stack, loaded))), 120)
        event = _change(stack, loaded)
        assert stack.wait_for_run("flights_export", _started_by(stack, event)[0]) == "success"
        yield event


def _change(stack: Stack, run_id: str) -> dict[str, Any]:
    """Give the event that tells of the change of mart.flights by a run."""
    query = {"source_dag_id": "flights", "source_run_id": run_id}
    answer = stack.api.get("/api/v2/assets/events", params=query)
    # Airflow 3.3 answers 500 while a run that an event created waits for its start.
    events = answer.json()["asset_events"] if answer.is_success else []
    return next((event for event in events if event["name"] == "mart.flights"), {})


def _started_by(stack: Stack, event: dict[str, Any]) -> list[str]:
    """Name the runs of flights_export that an event started; others that came at the same time may be in it, too."""
    runs = event.get("created_dagruns", [])
    return [run["run_id"] for run in runs if run["dag_id"] == "flights_export"]


def _place(line: dict[str, str]) -> tuple[str, str]:
    return line["origin"], line["carrier"]


def _file(stack: Stack, uri: str) -> str:
    """Read a file of the volume."""
    volume = ["--volume", "etl-test_exports:/exports:ro", "--entrypoint", "cat", "etl-platform/load:test"]
    return stack.docker("run", "--rm", "--network", "none", *volume, uri.removeprefix("file://"))


def test_a_load_tells_what_it_changed(stack: Stack, change: dict[str, Any]) -> None:
    """The table, the rows, the interval and the pipeline, where people see it in the web UI."""
    assert change["uri"] == "warehouse://mart/flights"
    assert change["extra"]["pipeline"] == "flights"
    assert change["extra"]["rows"] > 200  # the fewest of the year are 291, in the blizzard of 9 February
    assert change["extra"]["start"][:10] == DAY


def test_a_change_starts_the_export_of_its_day(stack: Stack, change: dict[str, Any]) -> None:
    """The files hold what the warehouse has of the day, and the manifest says so."""
    run_id = _started_by(stack, change)[0]
    exports = stack.result("flights_export", run_id, "load")["exports"]
    as_csv, as_json = (_file(stack, export["uri"]) for export in exports)
    manifest = json.loads(_file(stack, f"{exports[0]['uri']}.manifest.json"))
    lines = list(csv.DictReader(io.StringIO(as_csv)))
    expected = stack.sql("warehouse", SUMMARY, day=DAY)

    assert expected
    of_the_day = [line for line in lines if line["flight_date"] == DAY]
    found = [{name: line[name] for name in expected[0]} for line in of_the_day]
    assert sorted(found, key=_place) == sorted(expected, key=_place)
    assert len(json.loads(as_json)) == len(lines) == manifest["rows"]
    assert manifest["interval"]["start"] <= change["extra"]["start"] < manifest["interval"]["end"]
