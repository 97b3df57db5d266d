"""Offers facts of the four stages of a pipeline, and events of them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from etl_contract import (
    Check,
    Dataset,
    Export,
    ExportTarget,
    ExtractTask,
    Interval,
    Load,
    LoadTask,
    OnBreach,
    Outcome,
    StageResult,
    TransformTask,
    VisualizeTask,
)
from etl_lineage._event import event
from etl_lineage._facts import Fact, RunFact, State
from etl_lineage._settings import LineageSettings
from tests.etl_lineage.schemas import complaints

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
DAY = Interval(start=NOON - timedelta(days=1, hours=12), end=NOON - timedelta(hours=12))
RUN = {
    "pipeline": "orders",
    "run_id": "scheduled__2026-03-07",
    "interval": DAY,
    "run_uri": "file:///runs/orders/scheduled__2026-03-07",
}
SETTINGS = LineageSettings(namespace="shop")
COLUMNS = {
    "orders": {"id": "int64", "Amount": "double", "customer": "int64"},
    "customers": {"id": "int64", "name": "string"},
}
SQL = {
    "daily": "select o.id, o.amount * 2 as twice, c.name as Customer, 1 as one "
    "from orders o join customers c on c.id = o.customer where o.id >= :start",
    "totals": "select customer, sum(twice) as total from daily group by all",
}


def columns(**types: dict[str, str]) -> dict[str, Any]:
    """Give columns by dataset as results carry them."""
    return {name: tuple(each.items()) for name, each in types.items()}


def dataset(name: str, stage: str = "extract", rows: int = 3) -> Dataset:
    """Describe a file of the run."""
    return Dataset(name=name, uri=f"{RUN['run_uri']}/{stage}/{name}.parquet", rows=rows, bytes=100, sha256="ab" * 32)


def extracting(**spec: Any) -> ExtractTask:  # noqa: ANN401 - of sources
    """Tell extract its sources, a table where none is given."""
    return ExtractTask.model_validate({**RUN, "spec": spec or {"orders": {"sql": "source", "table": "orders"}}})


def transforming(spec: Any = None, **files: str) -> TransformTask:  # noqa: ANN401 - as above
    """Tell transform its steps."""
    spec = spec or {"sql": SQL}
    inputs = (dataset("orders"), dataset("customers"))
    return TransformTask.model_validate({**RUN, "spec": spec, "inputs": inputs, "files": files})


def loading(**more: Any) -> LoadTask:  # noqa: ANN401 - as above
    """Tell load where the daily rows go."""
    target = {"table": "daily", "mode": "replace", "comments": {"id": "the order's number"}}
    return LoadTask.model_validate(
        {**RUN, "spec": {"daily": target}, "inputs": (dataset("daily", "transform"),), **more}
    )


def visualizing() -> VisualizeTask:
    """Tell visualize its charts."""
    spec = {
        "title": "Orders",
        "figures": [{"label": "Rows", "sql": "select count(*) from mart.daily where day >= :start"}],
        "tables": [
            {"title": "All", "sql": "with d as (select * from mart.daily) select * from d join customers using (id)"},
        ],
    }
    return VisualizeTask.model_validate({**RUN, "spec": spec, "report_uri": "file:///reports/orders/x"})


def fact(
    task: Any,  # noqa: ANN401 - of the four kinds
    state: State = State.complete,
    result: StageResult | None = None,
    **more: Any,  # noqa: ANN401 - fields of a fact
) -> Fact:
    """Tell what became of a try."""
    facts = {"at": NOON, "began": NOON, "queued": NOON, "owner": "shop-team", "image": "etl-platform/load:local"}
    return Fact.model_validate({"state": state, "task": task, "result": result, **facts, **more})


def extracted() -> Fact:
    """Give the end of an extract that read a table."""
    result = StageResult(outcome=Outcome.done, datasets=(dataset("orders"),), columns=columns(orders=COLUMNS["orders"]))
    return fact(extracting(), result=result)


def transformed() -> Fact:
    """Give the end of a transform by SQL."""
    made = (dataset("daily", "transform"), dataset("totals", "transform"), dataset("customers"))
    types = {
        "daily": {"id": "int64", "twice": "double", "Customer": "string", "one": "int32"},
        "totals": {"customer": "string", "total": "double"},
    }
    result = StageResult(outcome=Outcome.done, datasets=made, columns=columns(**types))
    return fact(transforming(), result=result, columns=columns(**COLUMNS))


def loaded() -> Fact:
    """Give the end of a load with checks and a file for others."""
    counts = {"rows_staged": 3, "rows_inserted": 2, "rows_updated": 1, "rows_deleted": 0}
    load = Load(load_id="1", dataset="daily", table="mart.daily", mode="replace", **counts)
    target = ExportTarget.model_validate({"format": "csv", "to": "daily/{start:%Y-%m-%d}.csv"})
    export = Export.model_validate(
        {"dataset": "daily", "uri": "file:///exports/daily/2026-03-07.csv", "format": "csv", "rows": 3, "bytes": 50,
         "sha256": "cd" * 32}
    )  # fmt: skip
    checks = (
        Check(dataset="daily", rule="id not null", on_breach=OnBreach.fail, rows=3, breaches=0),
        Check(
            dataset="daily", rule="id is odd", on_breach=OnBreach.quarantine, rows=3, breaches=1, examples=("a secret",)
        ),
        Check(dataset="daily", rule="rows [1, null]", on_breach=OnBreach.warn, rows=3, breaches=1, whole=True),
    )
    types = {"mart.daily": {"id": "bigint", "twice": "double precision", "valid_from": "timestamp with time zone"}}
    result = StageResult(
        outcome=Outcome.done, loads=(load,), exports=(export,), checks=checks, columns=columns(**types)
    )
    expect = {"daily": {"columns": {"id": {}}, "rows": [{"that": "id % 2 = 1", "name": "id is odd"}]}}
    before = {"daily": {"id": "int64", "twice": "double", "Customer": "string"}}
    return fact(loading(export=(("daily", target),)), result=result, columns=columns(**before), expect=expect)


def visualized() -> Fact:
    """Give the end of a visualize."""
    return fact(visualizing(), result=StageResult(outcome=Outcome.done, bytes_out=1000))


def made(fact: Fact | RunFact, settings: LineageSettings = SETTINGS) -> dict[str, Any]:
    """Make the event, and hold it to OpenLineage's schemas."""
    written: dict[str, Any] = json.loads(event(fact, settings))
    assert complaints(written) == []
    return written
