"""Describes the work of our stages on the flights of the arena."""

from datetime import UTC, datetime
from functools import cache

from etl_contract import Dataset, ExtractTask, Interval, LoadTask, StageTask
from tests.bench.arena import COLUMNS, Arena
from tests.bench.race import psql, stage

COPY = "\\copy (select * from source.flights) to '/runs/flights.bin' with (format binary)"


def make(arena: Arena, table: str) -> None:
    """Make the target, empty, as the role that loads."""
    arena.warehouse.sql(f"create table {table} ({COLUMNS})")
    arena.warehouse.sql(f"alter table {table} owner to load")


def interval(arena: Arena) -> Interval:
    """Give the years of the flights."""
    first = datetime(2013, 1, 1, tzinfo=UTC)
    return Interval(start=first, end=first.replace(year=2013 + arena.times))


def task[Task: StageTask](arena: Arena, kind: type[Task], **about: object) -> Task:
    """Describe a stage's work on all rows."""
    common = {"pipeline": "bench", "run_id": "bench", "interval": interval(arena), "run_uri": "file:///runs/ours"}
    return kind.model_validate({**common, **about})


def extraction(arena: Arena) -> ExtractTask:
    """Describe how extract reads the table."""
    return task(arena, ExtractTask, spec={"flights": {"sql": "bench", "table": "source.flights"}})


@cache
def extracted(arena: Arena) -> Dataset:
    """Extract once for all who take it from there; beside it lies what psql loads."""
    psql(arena.warehouse.uri("extract"), COPY).run(arena)
    (dataset,) = arena.result(stage(extraction(arena))).datasets
    return dataset


def file_of(dataset: Dataset) -> str:
    """Give the path of a dataset."""
    return dataset.uri.removeprefix("file://")


def loading(arena: Arena, target: dict[str, object]) -> LoadTask:
    """Describe a load of all rows."""
    return task(arena, LoadTask, inputs=[extracted(arena)], spec={"flights": target})
