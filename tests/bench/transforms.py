"""Races of transform: SQL, pandas."""

from etl_contract import TransformTask
from tests._engine import image
from tests.bench.arena import HERE, Arena, Container
from tests.bench.flights import extracted, file_of, task
from tests.bench.race import LIMIT, Goal, Race, stage


def sql(arena: Arena) -> Race:
    """Run a query over the rows, into as many."""
    source = extracted(arena)
    query = (
        "select *, distance / nullif(air_time, 0) * 60 as speed, dep_delay > 15 as late from flights "
        "where dep_delay is not null"
    )
    bare = ("python", "/bench/peers/transform_duckdb.py", file_of(source), "/runs/duckdb.parquet", query)
    return Race(
        "transform, SQL",
        Goal(ratio=1.15),
        (
            Container(f"{LIMIT}the query in DuckDB", bare, image("transform")),
            stage(task(arena, TransformTask, inputs=[source], spec={"sql": {"flights": query}}), "1g"),
        ),
    )


def pandas(arena: Arena) -> Race:
    """Call a function of the author with all rows in memory."""
    source = extracted(arena)
    bare = ("python", "/bench/peers/late.py", file_of(source), "/runs/late")
    spec = {"pandas": "late.py:late"}
    files = {"late.py": (HERE / "peers" / "late.py").read_text()}
    return Race(
        "transform, pandas",
        Goal(ratio=1.1),
        (
            Container(f"{LIMIT}the function, one read, one write", bare, image("transform"), "4g"),
            stage(task(arena, TransformTask, inputs=[source], spec=spec, files=files), "4g"),
        ),
    )
