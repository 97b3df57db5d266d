"""Whenever a load is killed, its retry leaves cursors, files, checks and quarantine as one clean load does."""

import random
import time
from typing import Any

import pyarrow as pa

from etl_contract import Expectation, LoadTask, Outcome, StageResult, TakenFile, TransformTask, Watermark
from etl_load._load import load_into
from etl_transform.__main__ import transform
from tests.load.cases import FIRST, TABLE, flights
from tests.load.test_exactly_once import GONE, RUNNING, killed, settled
from tests.load.warehouse import Loading, Warehouse

ROWS, MOMENTS = 5_000, 20
PLANES = "mart.planes"
BOOKS = ("etl.loads", "etl.checks", "etl.watermarks", "etl.files", "quarantine.rows")
NOT_THE_SAME = "{load_id,try_number,loaded_at,checked_at,moved_at,taken_at,quarantined_at}"
OF_THE_LAST_MERGE = "{rows_inserted,rows_updated,rows_deleted}"  # a retry finds what is merged already
EXPECT: dict[str, Any] = {
    "on_breach": "quarantine",
    "columns": {
        "delay": {"nullable": True, "in_range": [5, None]},
        "fare": {"in_range": [None, 9], "on_breach": "warn"},
    },
    "table": {"references": {"tail": f"{PLANES}.tail"}, "rows": [1, None]},
}


def test_retry_after_a_kill_leaves_the_books_of_a_clean_load(loading: Loading) -> None:
    """Two tables, a cursor, a file, and checks that keep rows before and in the warehouse: all of it or nothing."""
    warehouse = loading.warehouse
    load_into(warehouse.uri(), task_of(loading, 1))
    before = content(warehouse)
    save(warehouse)
    task = task_of(loading, 2)
    started = time.monotonic()
    load_into(warehouse.uri(), task)
    took = time.monotonic() - started
    clean = content(warehouse)
    assert all(before[table] != clean[table] for table in (TABLE, PLANES, *BOOKS))
    chance = random.Random("books")  # noqa: S311 - repeatable
    undone = 0

    for moment in range(MOMENTS):
        restore(warehouse)
        with killed(loading, task) as (load, strike):
            warehouse.until(RUNNING)
            time.sleep(took * (moment + chance.random()) / MOMENTS if moment else 0)
            strike()
            settled(load)
        warehouse.until(GONE)
        done = warehouse.sql("select 1 from etl.loads where run_id = 'run 2'")
        undone += not done
        assert content(warehouse) == (clean if done else before)

        assert load_into(warehouse.uri(), task.model_copy(update={"try_number": 2})).outcome is Outcome.done
        assert content(warehouse) == clean
        assert warehouse.staging() == []
    assert undone


def task_of(loading: Loading, version: int) -> LoadTask:
    """Describe a run that has read and checked flights and their planes; each version differs in some rows."""
    rows = flights(FIRST, ROWS, version=version)
    tails = rows["tail"].unique().to_pylist()
    planes = pa.table({"tail": tails[version * 100 :], "seats": pa.array([version] * (len(tails) - version * 100))})
    targets = {
        "planes": (planes, {"table": PLANES, "mode": "upsert", "key": ["tail"], "delete": "missing"}),
        "flights": (rows, {"table": TABLE, "mode": "upsert", "key": ["id"]}),
    }
    task = loading.task(targets, run_id=f"run {version}")
    expectation = Expectation.model_validate(EXPECT)
    about = {"pipeline": task.pipeline, "run_id": task.run_id, "interval": task.interval, "run_uri": task.run_uri}
    expecting = TransformTask(**about, inputs=task.inputs, expect={"flights": expectation})
    made: StageResult = transform(expecting)
    since = str(version - 1) if version > 1 else None
    return task.model_copy(
        update={
            "inputs": made.datasets,
            "expect": {"flights": expectation.warehouse_part()},
            "checks": made.checks,
            "quarantined": made.quarantined,
            "watermarks": (Watermark(source="planes", field="at", value=str(version), cursor=True, since=since),),
            "files": (TakenFile(source="flights", uri=f"inbox:///{version}.csv", bytes=1, sha256=f"{version}" * 64),),
            "whole": ("planes",),
        }
    )


def content(warehouse: Warehouse) -> dict[str, list[str]]:
    """Give all rows of all tables, without what each load makes anew."""
    query = "select (to_jsonb(t) - %s::text[] - %s::text[])::text from {} t order by 1"
    return {
        table: [row for (row,) in warehouse.sql(query.format(table), NOT_THE_SAME, OF_THE_LAST_MERGE)]
        for table in (TABLE, PLANES, *BOOKS)
    }


def save(warehouse: Warehouse) -> None:
    """Keep the tables as they are now."""
    for table in (TABLE, PLANES, *BOOKS):
        warehouse.sql(f"create table mart.before_{table.replace('.', '_')} as table {table}")


def restore(warehouse: Warehouse) -> None:
    """Put back what was kept."""
    for table in (TABLE, PLANES, *BOOKS):
        warehouse.sql(f"truncate {table}; insert into {table} table mart.before_{table.replace('.', '_')}")
