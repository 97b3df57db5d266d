"""What events say of stages: valid by OpenLineage's own schemas, named by its rules, and no more than is known."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from etl_contract import Interval, Outcome, StageResult
from etl_lineage._facts import Fact, RunFact, State
from etl_lineage._settings import LineageSettings
from tests.etl_lineage.conftest import (
    COLUMNS,
    NOON,
    SETTINGS,
    columns,
    dataset,
    extracted,
    extracting,
    fact,
    loaded,
    loading,
    made,
    transformed,
    transforming,
    visualized,
    visualizing,
)
from tests.etl_lineage.schemas import complaints

FILES = "file://shop"
WAREHOUSE = "postgres://postgres:5432"


def _names(datasets: list[dict[str, Any]]) -> list[str]:
    return [f"{each['namespace']} {each['name']}" for each in datasets]


def _origins(output: dict[str, Any]) -> dict[str, list[tuple[str, str, str]]]:
    fields = output["facets"]["columnLineage"]["fields"]
    return {
        column: [
            (origin["name"].rpartition("/")[2], origin["field"], origin["transformations"][0]["subtype"])
            for origin in field["inputFields"]
        ]
        for column, field in fields.items()
    }


@pytest.mark.parametrize("end", [extracted, transformed, loaded, visualized])
def test_every_stage_has_valid_events(end: Any) -> None:  # noqa: ANN401 - makes a fact
    """Of its beginning, of each of its ends, and of the same run."""
    ended: Fact = end()
    states = (State.start, State.complete, State.fail, State.abort)
    events = [made(ended.model_copy(update={"state": state, "problem": "a problem"})) for state in states]

    assert [event["eventType"] for event in events] == ["START", "COMPLETE", "FAIL", "ABORT"]
    assert len({event["run"]["runId"] for event in events}) == 1
    assert {event["job"]["namespace"] for event in events} == {"shop"}
    assert {event["job"]["name"] for event in events} == {f"orders.{ended.task.stage}"}


def test_a_wrong_event_is_not_valid() -> None:
    """The schemas, their formats and those of facets are looked at."""
    event = made(loaded())
    event["eventTime"] = "yesterday"
    event["run"]["runId"] = "1"
    event["producer"] = "no uri"
    event["outputs"][0]["facets"]["schema"]["fields"] = [{"type": "text"}]
    event["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] = "3"

    said = "\n".join(complaints(event))
    for problem in (
        "'yesterday' is not a 'date-time'",
        "'1' is not a 'uuid'",
        "'no uri' is not a 'uri'",
        "'name' is a",
    ):
        assert problem in said
    assert "rowCount: '3' is not of type 'integer'" in said


def test_a_run_is_told_with_its_pipeline_its_interval_and_its_try() -> None:
    """Stages of one run have one parent; another try is another run of the job."""
    first, second = made(extracted()), made(loaded())
    again = loaded()
    again = again.model_copy(update={"task": again.task.model_copy(update={"try_number": 2})})

    facets = first["run"]["facets"]
    assert facets["parent"]["job"] == {"namespace": "shop", "name": "orders"} | {"facets": {}}
    assert facets["parent"]["run"]["runId"] == second["run"]["facets"]["parent"]["run"]["runId"]
    assert facets["nominalTime"]["nominalStartTime"] == "2026-03-07T00:00:00+00:00"
    assert facets["processing_engine"]["name"] == "Airflow"
    assert {tag["key"]: tag["value"] for tag in facets["tags"]["tags"]} == {
        "run_id": "scheduled__2026-03-07",
        "try_number": "1",
        "image": "etl-platform/load:local",
    }
    assert made(again)["run"]["runId"] != second["run"]["runId"]
    later = loaded().model_copy(update={"began": NOON + timedelta(minutes=1)})
    assert made(later)["run"]["runId"] != second["run"]["runId"]


def test_the_run_of_a_pipeline_is_the_parent_of_its_stages() -> None:
    """It begins and ends, too, with the id that they name."""
    facts = {"at": NOON, "queued": NOON, "pipeline": "orders", "run_id": "scheduled__2026-03-07"}
    began, ended = (made(RunFact(state=state, **facts)) for state in (State.start, State.complete))
    parent = made(extracted())["run"]["facets"]["parent"]

    assert (began["eventType"], ended["eventType"]) == ("START", "COMPLETE")
    assert began["run"]["runId"] == ended["run"]["runId"] == parent["run"]["runId"]
    assert began["job"]["name"] == parent["job"]["name"] == "orders"


def test_extract_says_what_it_read_and_what_it_made() -> None:
    """A table that is read as it is gives each column its origin; a run's file is the same dataset in every run."""
    event = made(extracted())

    assert _names(event["inputs"]) == [f"{WAREHOUSE} source.public.orders"]
    (output,) = event["outputs"]
    assert _names([output]) == [f"{FILES} /runs/orders/extract/orders.parquet"]
    assert [(field["name"], field["type"]) for field in output["facets"]["schema"]["fields"]] == [
        *COLUMNS["orders"].items()
    ]
    assert output["facets"]["version"]["datasetVersion"] == "ab" * 32
    statistics = output["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["size"]) == (3, 100)
    assert _origins(output)["Amount"] == [("source.public.orders", "Amount", "IDENTITY")]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ({"sql": "erp", "table": "sales.orders"}, ["connection://erp sales.orders"]),
        (
            {
                "sql": "erp",
                "query": "with n as (select * from a.b) select * from n join c using (x) where y > :start",
            },
            ["connection://erp a.b", "connection://erp c"],
        ),
        ({"sql": "erp", "query": "this is no SQL that anybody knows ("}, []),
        ({"sql": "shop", "table": "orders"}, ["mysql://db.example.org:3306 shop.orders"]),
        ({"http": "https://example.org/a/{start:%Y}.csv?x=1"}, ["https://example.org /a/{start:%Y}.csv"]),
        ({"files": "orders/*.csv"}, [f"{FILES} /inbox/orders/*.csv"]),
        ({"files": "s3://bucket/in/*.csv", "connection": "store"}, ["s3://bucket in/*.csv"]),
    ],
)
def test_each_kind_of_source_has_its_name(source: dict[str, Any], names: list[str]) -> None:
    """A connection is called by its name where the settings do not say what it is, since its address is a secret."""
    settings = LineageSettings(namespace="shop", connections={"shop": "mysql://db.example.org:3306/shop"})

    assert _names(made(fact(extracting(rows=source), State.start), settings)["inputs"]) == names


def test_a_transform_by_sql_says_which_columns_its_columns_are_made_of() -> None:
    """Through steps on the way, with what was done to them; what is handed on as it was found is no output."""
    event = made(transformed())

    assert _names(event["inputs"]) == [
        f"{FILES} /runs/orders/extract/{name}.parquet" for name in ("orders", "customers")
    ]
    assert event["inputs"][0]["facets"]["schema"]["fields"][1]["name"] == "Amount"
    daily, totals = event["outputs"]
    assert _origins(daily) == {
        "id": [("orders.parquet", "id", "IDENTITY")],
        "twice": [("orders.parquet", "Amount", "TRANSFORMATION")],
        "Customer": [("customers.parquet", "name", "IDENTITY")],
    }
    assert _origins(totals) == {
        "customer": [("customers.parquet", "name", "IDENTITY")],
        "total": [("orders.parquet", "Amount", "AGGREGATION")],
    }
    assert event["job"]["facets"]["sql"]["dialect"] == "duckdb"
    assert "sum(twice) as total" in event["job"]["facets"]["sql"]["query"]


@pytest.mark.parametrize(
    "step",
    [
        {"sql": "create macro f(x) as (select max(id) from orders); create table daily as select f(1) as id"},
        {"sql": {"daily": "select id from a_table_that_nobody_knows"}},
        {"sql": {"daily": "select u.id from orders, unnest([1, 2]) as u(id)"}},
        {"sql": {"daily": "this is ( no SQL"}},
        {"pandas": "orders.py:change"},
        [{"sql": {"daily": "select id from orders"}}, {"pandas": "orders.py:change"}],
    ],
)
def test_nothing_is_guessed_of_columns(step: Any) -> None:  # noqa: ANN401 - of steps
    """Where it is not exactly known what a column is made of, nothing is said of it; the rest is."""
    result = StageResult(
        outcome=Outcome.done, datasets=(dataset("daily", "transform"),), columns=columns(daily={"id": "int64"})
    )
    code = {"orders.py": "def change(orders): ..."}
    event = made(fact(transforming(step, **code), result=result, columns=columns(**COLUMNS)))

    assert event["outputs"][0]["facets"].keys() == {"schema", "version"}


def test_steps_that_make_a_dataset_anew_are_told_apart() -> None:
    """A helper and an earlier form of a dataset are seen through."""
    script = """
        create temp table big as select id, amount from orders where amount > 1;
        create table orders as select id as number, amount from big;
    """
    steps = [{"sql": "orders.sql"}, {"sql": {"orders": "select number + 1 as number, amount from orders"}}]
    result = StageResult(
        outcome=Outcome.done,
        datasets=(dataset("orders", "transform"),),
        columns=columns(orders={"number": "int64", "amount": "double"}),
    )
    event = made(fact(transforming(steps, **{"orders.sql": script}), result=result, columns=columns(**COLUMNS)))

    assert _origins(event["outputs"][0]) == {
        "number": [("orders.parquet", "id", "TRANSFORMATION")],
        "amount": [("orders.parquet", "Amount", "IDENTITY")],
    }


def test_an_authors_function_is_told_as_it_stands() -> None:
    """Nothing is said of its columns."""
    task = transforming({"pandas": "orders.py:change"}, **{"orders.py": "def change(orders): ..."})

    facets = made(fact(task, State.start))["job"]["facets"]
    assert facets["sourceCode"]["language"] == "python"
    assert "def change(orders): ..." in facets["sourceCode"]["sourceCode"]


def test_load_says_what_became_of_tables_files_and_rules() -> None:
    """Columns that load adds have no origin; a rule of a column names it; no row is told."""
    event = made(loaded())

    (given,) = event["inputs"]
    checked = given["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(each["assertion"], each["success"], each["severity"], each.get("column")) for each in checked] == [
        ("not_null", True, "error", "id"),
        ("row", False, "warn", None),
        ("table", False, "warn", None),
    ]
    table, file = event["outputs"]
    assert _names([table, file]) == [
        f"{WAREHOUSE} warehouse.mart.daily",
        f"{FILES} /exports/daily/{{start:%Y-%m-%d}}.csv",
    ]
    assert [(field["name"], field["type"]) for field in table["facets"]["schema"]["fields"]] == [
        ("id", "bigint"),
        ("twice", "double precision"),
        ("valid_from", "timestamp with time zone"),
    ]
    assert table["facets"]["schema"]["fields"][0]["description"] == "the order's number"
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert _origins(table) == {name: [("daily.parquet", name, "IDENTITY")] for name in ("id", "twice")}
    assert file["outputFacets"]["outputStatistics"]["size"] == 50
    assert "a secret" not in str(event)


def test_visualize_says_which_tables_its_report_is_of() -> None:
    """Also where queries name them on the way."""
    event = made(visualized())

    assert _names(event["inputs"]) == [f"{WAREHOUSE} warehouse.mart.daily", f"{WAREHOUSE} warehouse.public.customers"]
    assert _names(event["outputs"]) == [f"{FILES} /reports/orders"]


def test_a_failure_is_told_in_its_words_and_made_nothing() -> None:
    """What a stage makes is whole or not there."""
    words = "DataError: keys are there more than once\n  where: load.daily\n  next:  mend the transform"
    event = made(fact(loading(), State.fail, problem=words))

    assert event["run"]["facets"]["errorMessage"]["message"] == words
    assert event["outputs"] == []


def test_a_beginning_says_where_rows_are_to_go_but_not_of_a_dry_run() -> None:
    """What is known by then: tables, files, and the report."""
    assert _names(made(fact(loading(), State.start))["outputs"]) == [f"{WAREHOUSE} warehouse.mart.daily"]
    assert made(fact(loading(dry_run=True), State.start))["outputs"] == []
    assert _names(made(fact(visualizing(), State.start))["outputs"]) == [f"{FILES} /reports/orders"]


words = some.text(max_size=20).filter(str.isprintable)


@given(
    types=some.dictionaries(words, words, max_size=4),
    rule=words,
    run_id=words,
    facts=some.fixed_dictionaries({"owner": words, "description": words, "problem": words}),
    moment=some.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=some.timezones()),  # noqa: DTZ001
    state=some.sampled_from(State),
)
def test_whatever_the_fields_hold_the_event_is_valid(  # noqa: PLR0913 - a field each
    *, types: dict[str, str], rule: str, run_id: str, facts: dict[str, str], moment: datetime, state: State
) -> None:
    """No name, text or moment makes an event that OpenLineage does not know."""
    ended = loaded()
    assert ended.result is not None
    checks = tuple(check.model_copy(update={"rule": rule}) for check in ended.result.checks)
    result = ended.result.model_copy(update={"checks": checks, "columns": columns(**{"mart.daily": types})})
    task = ended.task.model_copy(update={"run_id": run_id})
    task = task.model_copy(update={"interval": Interval(start=moment, end=moment + timedelta(days=1))})
    times = {"began": moment, "at": moment, "queued": moment}
    changed = {**facts, **times, "task": task, "result": result, "state": state, "columns": columns(daily=types)}

    made(ended.model_copy(update=changed), SETTINGS)
