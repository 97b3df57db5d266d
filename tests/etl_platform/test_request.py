"""What a run may be asked for, and what is told of a wish that cannot be."""

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from etl_contract import SpecError
from etl_platform import Pipeline
from etl_platform._params import form
from etl_platform._request import Request, read_request

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
TABLE: dict[str, Any] = {"sql": "source", "table": "orders"}
CURSOR = TABLE | {"cursor": "updated_at"}
OF_ITS_DAY = {"sql": "source", "query": "select id, note::text from orders where at >= :start and at < :end"}
UPSERT = {"table": "orders", "mode": "upsert", "key": ["id"]}
APPEND = {"table": "orders", "mode": "append"}


def _pipeline(source: dict[str, Any] = TABLE, target: dict[str, Any] = UPSERT, **fields: Any) -> Pipeline:  # noqa: ANN401 - as in YAML
    sections = {"extract": {"orders": source}, "load": {"orders": target}, "timezone": "America/New_York"}
    return Pipeline.model_validate({"name": "orders", "schedule": "0 0 * * *", **sections, **fields})


def _read(pipeline: Pipeline | None = None, **filled_in: Any) -> Request:  # noqa: ANN401 - as a form has it
    return read_request(pipeline or _pipeline(), filled_in, NOW)


@pytest.mark.parametrize(
    ("filled_in", "about"),
    [
        ({}, "None"),
        ({"day": None, "start": None, "end": ""}, "None"),
        ({"day": "2026-02-28"}, "2026-02-28"),
        ({"day": "2026-11-24"}, "2026-11-24"),
        ({"start": "2026-02-01", "end": "2026-02-28"}, "2026-02-01 to 2026-02-28"),
        ({"start": "2026-02-28", "end": "2026-02-28"}, "2026-02-28"),
        ({"start": "2026-02-28T06:00", "end": "2026-02-28T18:00"}, "2026-02-28 06:00 to 2026-02-28 18:00"),
        ({"start": "2026-02-28T11:00:00Z", "end": "2026-02-28"}, "2026-02-28 06:00 to 2026-03-01 00:00"),
    ],
)
def test_a_date_stands_for_its_whole_day_and_a_time_for_itself(filled_in: dict[str, Any], about: str) -> None:
    """On the pipeline's clock, unless an offset says otherwise; empty fields ask for nothing."""
    assert str(_read(**filled_in).interval) == about


@pytest.mark.parametrize(
    ("filled_in", "problem"),
    [
        ({"day": "2026-01-31", "start": "2026-01-01"}, "day: give either it or start and end, not start too"),
        ({"start": "2026-01-31"}, "start: give end, too, or day instead"),
        ({"end": "2026-01-31"}, "end: give start, too, or day instead"),
        ({"start": "2026-01-31", "end": "2026-01-30"}, "end: 2026-01-30 is not after start, 2026-01-31"),
        ({"start": "2026-01-31T06:00", "end": "2026-01-31T06:00"}, "is not after start"),
        ({"day": "2026-11-25"}, "day: 2026-11-25 lies in the future; in America/New_York it is 2026-11-24"),
        ({"start": "2026-11-24T09:00", "end": "2026-11-24T10:01"}, "10:01 lies in the future; in America"),
        ({"day": "yesterday"}, "day: 'yesterday' is no date; write 2026-01-31"),
        ({"day": "2026-01-31T06:00"}, "day: '2026-01-31T06:00' is no date"),
        ({"day": 20260131}, "day: 20260131 is no date"),
        ({"start": "soon", "end": "2026-01-31"}, "start: 'soon' is no time; write 2026-01-31 or 2026-01-31T06:00"),
        ({"dry_run": "yes"}, "dry_run: 'yes' is neither true nor false"),
        ({"dayy": "2026-01-31"}, "dayy: there is no such field; did you mean 'day'?"),
        ({"full_refresh": True, "day": "2026-01-31"}, "full_refresh: it is about all there is; leave day empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(filled_in: dict[str, Any], problem: str) -> None:
    """With the value, and what to give instead."""
    with pytest.raises(SpecError) as error:
        _read(**filled_in)

    assert problem in error.value.problem


@pytest.mark.parametrize(
    ("filled_in", "named"),
    [
        ({"day": "2026-01-31"}, ["day"]),
        ({"start": "2026-01-01", "end": "2026-01-31"}, ["start", "end"]),
        ({"full_refresh": True}, ["full_refresh"]),
    ],
)
def test_a_backfill_is_asked_for_no_day(filled_in: dict[str, Any], named: list[str]) -> None:
    """Else all its runs would be about the same; its form has these fields, too."""
    pipeline = _pipeline(CURSOR)
    with pytest.raises(SpecError) as error:
        read_request(pipeline, filled_in, NOW, backfill=True)

    for name in named:
        told = f"{name}: each run of a backfill is about its own interval; leave {name} empty"
        assert told in error.value.problem
    assert read_request(pipeline, {"dry_run": True, "day": None}, NOW, backfill=True).dry_run


def test_all_problems_are_told_at_once() -> None:
    """Somebody corrects the form once."""
    pipeline = _pipeline(params={"limit": 5})

    with pytest.raises(SpecError) as error:
        _read(pipeline, day="2027-01-01", end="never", dry_run=1.5, limit="many")

    assert error.value.problem.splitlines() == [
        "the run cannot be, for 5 reasons:",
        "  day: give either it or start and end, not end too",
        "  end: 'never' is no time; write 2026-01-31 or 2026-01-31T06:00",
        "  day: 2027-01-01 lies in the future; in America/New_York it is 2026-11-24",
        "  dry_run: 1.5 is neither true nor false",
        "  limit: 'many' is not of type integer",
    ]
    assert "docs/pipelines.md" in error.value.hint


def test_a_field_of_former_days_is_let_be() -> None:
    """A run of before may be cleared after one of the pipeline's parameters is gone."""
    assert _read(quantity=5).params == {}


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        (OF_ITS_DAY, UPSERT, "extract.orders reads only the run's interval; give start and end"),
        ({"http": "https://example.org/{start:%Y}.csv"}, UPSERT, "extract.orders reads only the run's interval"),
        (TABLE, UPSERT | {"mode": "history"}, "load.orders: history keeps versions that no source has any more"),
        (
            TABLE,
            {"table": "orders", "mode": "partition", "partition": "day"},
            "load.orders: partition replaces the days",
        ),
        (TABLE, APPEND, "load.orders: append has rows of earlier runs that the sources do not give again"),
    ],
)
def test_a_full_refresh_that_would_lose_rows_is_refused(
    source: dict[str, Any], target: dict[str, Any], problem: str
) -> None:
    """The form does not offer it, and who asks for it all the same is told why not."""
    pipeline = _pipeline(source, target)

    with pytest.raises(SpecError) as error:
        _read(pipeline, full_refresh=True)

    assert problem in error.value.problem
    assert "full_refresh" not in form(pipeline)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (CURSOR, UPSERT),
        (CURSOR, APPEND),
        ({"files": "orders/*.csv", "columns": {"id": "integer"}}, APPEND),
        (TABLE, {"table": "orders", "mode": "replace"}),
        ({"sql": "source", "query": "select 1 as id, now()::start from x"}, UPSERT),
    ],
)
def test_a_full_refresh_is_offered_where_all_rows_come_again(source: dict[str, Any], target: dict[str, Any]) -> None:
    """Sources that remember are read from their beginning, and tables are read whole in any case."""
    pipeline = _pipeline(source, target)

    assert _read(pipeline, full_refresh=True).full_refresh
    assert "full_refresh" in form(pipeline)


@pytest.mark.parametrize(
    ("schedule", "format_"),
    [("0 0 * * *", "date"), ("0 6 * * *", "date-time"), (None, "date"), ("0 * * * *", "date-time")],
)
def test_the_form_asks_for_days_where_runs_are_about_days(schedule: str | None, format_: str) -> None:
    """And for times where the schedule strikes at others than midnight."""
    fields = form(_pipeline(schedule=schedule))

    assert {name: fields[name].schema["format"] for name in ("day", "start", "end")} == {
        "day": "date", "start": format_, "end": format_,
    }  # fmt: skip


def test_the_form_explains_each_field_and_needs_none() -> None:
    """Who only presses the button gets the last complete interval, loaded."""
    fields = form(_pipeline(CURSOR, params={"limit": {"default": 5, "description": "How many."}}))

    assert list(fields) == ["day", "start", "end", "dry_run", "full_refresh", "limit"]
    assert all(field.schema["title"] for field in fields.values())
    assert all(field.description for field in fields.values())
    assert {name: field.resolve() for name, field in fields.items()} == {
        "day": None, "start": None, "end": None, "dry_run": False, "full_refresh": False, "limit": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [("day", "31.1.2026"), ("start", "2026-01-31T06:00"), ("dry_run", "yes"), ("limit", "many")]
)
def test_airflow_refuses_at_once_what_a_field_alone_can_tell(name: str, value: str) -> None:
    """In the form, and by REST with 400: no run comes to be."""
    fields = form(_pipeline(params={"limit": 5}))

    with pytest.raises(ParamValidationError):
        fields[name].resolve(value)
