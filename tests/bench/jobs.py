"""Lists the jobs: what is done, who does it, whose time is the limit, and what we want to reach.

A job joins with a function and a line in `JOBS`.
"""

from collections.abc import Callable

from etl_contract import ExtractTask, LoadTask, TransformTask
from tests._engine import image
from tests.bench.arena import Arena, Container
from tests.bench.day import day
from tests.bench.flights import COPY, extraction, task
from tests.bench.guard import guard
from tests.bench.loads import append, partition, upsert
from tests.bench.memory import memory
from tests.bench.race import LIMIT, Goal, Job, Race, peer, psql, stage
from tests.bench.report import report
from tests.bench.transforms import pandas, sql


def extract(arena: Arena) -> Race:
    """Copy a table into Parquet."""
    uri, table = arena.warehouse.uri("extract"), "source.flights"
    dlt = [
        peer("dlt", "extract_dlt", uri, table, f"/runs/{kind}", kind, name=f"dlt ({kind})")
        for kind in ("connectorx", "sqlalchemy")
    ]
    return Race(
        "extract a table to Parquet",
        Goal(ratio=1.2, mebibytes=150, ahead={"pandas": 8, "dlt": 1.4}),
        (
            psql(uri, COPY),
            stage(extraction(arena)),
            peer("duckdb", "extract_duckdb", uri, table, "/runs/duckdb.parquet"),
            peer("connectorx", "extract_connectorx", uri, table, "/runs/connectorx.parquet"),
            peer("adbc", "extract_adbc", uri, table, "/runs/adbc.parquet"),
            *dlt,
            peer("pandas", "extract_pandas", uri, table, "/runs/pandas.parquet", name="pandas.read_sql"),
            peer("pandas", "extract_sqlalchemy", uri, table, "/runs/chunks.parquet", name="pandas, in chunks"),
        ),
    )


def nothing(arena: Arena) -> Race:
    """Do next to nothing: what a stage costs before it works."""
    extraction = task(arena, ExtractTask, spec={"one": {"sql": "bench", "query": "select 1 as n"}})
    (one,) = arena.result(stage(extraction)).datasets
    target = {"table": "mart.one", "mode": "upsert", "key": ["n"]}
    function = {"spec": {"pandas": "same.py:same"}, "files": {"same.py": "def same(one):\n    return {'one': one}\n"}}
    return Race(
        "next to nothing",
        Goal(over=0.5),
        (
            Container(f"{LIMIT}an interpreter that ends at once", ("python3", "-c", "pass"), image("transform")),
            stage(extraction, who="extract"),
            stage(task(arena, TransformTask, inputs=[one], spec={"sql": {"one": "from one"}}), who="transform, SQL"),
            stage(task(arena, TransformTask, inputs=[one], **function), who="transform, pandas"),
            stage(task(arena, LoadTask, inputs=[one], spec={"one": target}), who="load"),
        ),
        ours=("extract", "transform, SQL", "transform, pandas", "load"),
    )


JOBS: dict[str, Callable[[Arena], Job]] = {
    "extract": extract,
    "append": append,
    "partition": partition,
    "upsert": upsert,
    "sql": sql,
    "pandas": pandas,
    "nothing": nothing,
    "report": report,
    "day": day,
    "guard": guard,
    "memory": memory,
}
