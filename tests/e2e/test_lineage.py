"""Lineage of the running platform, by a real endpoint: events that are valid by OpenLineage's own schemas."""

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests._stack import Stack, until
from tests.e2e.test_alerts import ILL, _files
from tests.etl_lineage.receiving import Endpoint, endpoint
from tests.etl_lineage.schemas import complaints

DAY = "2026-03-07"
SECRET = "a-path-of-an-endpoint"  # noqa: S105 - of the test's own
TOKEN = secrets.token_urlsafe()  # made anew, as it is looked for in the repository, too
STAGES = ("extract", "transform", "load", "visualize")


@contextmanager
def _settings(stack: Stack, events: str) -> Iterator[None]:
    """Let the file of settings say where events go, for a while."""
    file = stack.lineage / "settings.yaml"
    before = file.read_text()
    file.write_text(before.replace("events: none", f"events: {events}"))
    try:
        yield
    finally:
        file.write_text(before)


def _kept(stack: Stack, *pipelines: str) -> list[dict[str, Any]]:
    """Give what `make lineage` prints."""
    return [json.loads(line) for line in stack.script("setup/lineage.sh", *pipelines).splitlines()]


def _of(events: list[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """Give the events of a run."""
    return [
        event
        for event in events
        if {"key": "run_id", "value": run_id, "source": "AIRFLOW"} in event["run"]["facets"]["tags"]["tags"]
    ]


@pytest.fixture(scope="module")
def port() -> int:
    """Find a port for an endpoint that comes later than its events."""
    with socket.create_server(("0.0.0.0", 0)) as free:  # noqa: S104 - only to find it
        return int(free.getsockname()[1])


def test_where_it_is_off_nothing_is_written(stack: Stack) -> None:
    """As it is from the beginning."""
    stack.run("flights", DAY)

    assert stack.compose("exec", "-T", "notifier", "find", "/outbox", "-path", "*/lineage/*") == ""
    assert _kept(stack) == []


def test_a_run_is_told_from_its_sources_to_its_report(stack: Stack) -> None:
    """Each stage begins and ends; tables have their columns; a try's events have one id, those of a run one parent."""
    with _settings(stack, "file"):
        run_id = stack.run("flights", DAY)
        until(lambda: len(_of(_kept(stack, "flights"), run_id)) == 10, 90)
    first, *events, last = _of(_kept(stack, "flights"), run_id)

    assert [problem for event in (first, *events, last) for problem in complaints(event)] == []
    assert [(event["job"]["name"], event["eventType"]) for event in (first, last)] == [
        ("flights", "START"),
        ("flights", "COMPLETE"),
    ]
    told = [(event["job"]["name"], event["eventType"]) for event in events]
    assert told == [(f"flights.{stage}", state) for stage in STAGES for state in ("START", "COMPLETE")]
    ids = [event["run"]["runId"] for event in events]
    assert ids[::2] == ids[1::2]
    assert len({*ids}) == 4
    parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in events}
    assert parents == {first["run"]["runId"]} == {last["run"]["runId"]}
    extract, transform, load, visualize = events[1::2]
    tables = {name: f"source.public.{name}" for name in ("flights", "weather", "airlines", "planes", "airports")}
    assert [each["name"] for each in extract["inputs"]] == [*tables.values()]
    assert {each["namespace"] for each in extract["inputs"]} == {"postgres://postgres:5432"}
    made = {each["name"] for each in extract["outputs"]}
    assert made == {f"/runs/flights/extract/{name}.parquet" for name in tables}
    assert {each["name"] for each in transform["inputs"]} == made
    assert "def enrich" in transform["job"]["facets"]["sourceCode"]["sourceCode"]
    assert [each["name"] for each in load["inputs"]] == [each["name"] for each in transform["outputs"]]
    schemas = [[each["facets"]["schema"]["fields"] for each in part] for part in (transform["outputs"], load["inputs"])]
    assert schemas[0] == schemas[1]  # types and order
    assert load["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    flights = next(each for each in load["outputs"] if each["name"] == "warehouse.mart.flights")
    columns = stack.sql(
        "warehouse",
        "select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute "
        "where attrelid = 'mart.flights'::regclass and attnum > 0 and not attisdropped order by attnum",
    )
    fields = flights["facets"]["schema"]["fields"]
    assert [(field["name"], field["type"]) for field in fields] == [(row["name"], row["type"]) for row in columns]
    count = stack.one("warehouse", "select count(*) from mart.flights where flight_date = :'day'", day=DAY)["count"]
    assert flights["outputFacets"]["outputStatistics"]["rowCount"] == int(count)
    assert flights["facets"]["columnLineage"]["fields"].keys() == {field["name"] for field in fields}
    assert {each["name"] for each in visualize["inputs"]} == {"warehouse.mart.flights", "warehouse.mart.daily_delays"}


def test_a_failure_is_told_in_words_by_an_endpoint_that_comes_later(stack: Stack, host: str, port: int) -> None:
    """The run does not wait for it; each try has its end, and what waited comes whole, in order and once."""
    said = stack.script("setup/secret.sh", "lineage/endpoint", stdin=f"http://{host}:{port}/{SECRET}")
    assert "lineage has its endpoint" in said
    stack.script("setup/secret.sh", "lineage/token", stdin=TOKEN)
    with _settings(stack, "endpoint"), stack.pipeline("astray", _files("astray", ILL)):
        run_id = stack.trigger("astray", DAY)
        assert stack.wait_for_run("astray", run_id) == "failed"
        stack.compose("restart", "notifier")
        with endpoint(host, port) as receiver:
            until(lambda: len(_of(receiver.events, run_id)) == 6, 90)
            _holds(receiver, run_id)


def _holds(receiver: Endpoint, run_id: str) -> None:
    events = _of(receiver.events, run_id)
    assert [problem for event in events for problem in complaints(event)] == []
    assert [(event["job"]["name"], event["eventType"]) for event in events] == [
        ("astray", "START"),
        ("astray.extract", "START"),
        ("astray.extract", "COMPLETE"),
        ("astray.transform", "START"),
        ("astray.transform", "FAIL"),
        ("astray", "FAIL"),
    ]
    message = events[-2]["run"]["facets"]["errorMessage"]["message"]
    assert "carier" in message
    assert "config/pipelines/astray.py, line 2, in change" in message
    (airlines,) = events[2]["outputs"]
    assert {
        column: [(origin["name"], origin["field"]) for origin in field["inputFields"]]
        for column, field in airlines["facets"]["columnLineage"]["fields"].items()
    } == {column: [("source.public.airlines", column)] for column in ("carrier", "name")}
    assert {*receiver.tokens} == {f"Bearer {TOKEN}"}


def test_address_and_token_are_seen_by_the_notifier_alone(stack: Stack, host: str) -> None:
    """They stand in no environment, argument or log."""
    inspected = stack.docker("inspect", *stack.compose("ps", "--all", "--quiet").split())

    logs = stack.compose("logs", "--no-color")
    for secret in (SECRET, TOKEN):
        assert secret not in inspected
        assert secret not in logs
    for service in ("airflow-scheduler", "airflow-dag-processor", "airflow-apiserver"):
        assert stack.compose("exec", "-T", service, "sh", "-c", "ls /run/secrets/lineage 2>/dev/null || true") == ""
