"""Shows that memory does not grow with the data: each stage's peak on the rows, and on ten times as many, side by side.

source.flights ──► extract, transform, load ──► peaks ◄── extract, transform, load ◄── source.many, ten times as long

Both sizes have the same container limit. Tables are unlogged, to be gentle to the disk: about 25 GB.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from etl_contract import Dataset, ExtractTask, Interval, LoadTask, TransformTask
from tests.bench.arena import COLUMNS, KEY, NAMES, Arena, Container, Measured
from tests.bench.flights import task
from tests.bench.race import Results, stage

TABLE = "mart.flights"
FOLD = 10
_MIB = 1024 * 1024
_QUERY = "select *, distance / nullif(air_time, 0) * 60 as speed from flights where dep_delay is not null"
_SORTED = "select * from flights order by dep_delay desc, arr_time"


@dataclass(frozen=True)
class Memory:
    """Runs each stage once on each size; peers and rounds play no part."""

    name: str = "memory"

    def run(self, place: Arena, rounds: int, without: Sequence[str]) -> Results:
        """Measure every stage, on the rows and then on ten times as many."""
        del rounds, without
        measured: dict[str, list[Measured]] = {}
        problems: dict[str, str] = {}
        place.job.callback(_clear, place)
        _multiply(place)
        for table, years in (("source.flights", place.times), ("source.many", place.times * FOLD)):
            for what, container in _works(place, table, years):
                if what in problems:
                    continue
                try:
                    took = container.run(place)
                except RuntimeError as error:
                    problems[what] = f"on {table}: {error}"
                    print(f"{self.name}, {what}, {problems[what]}", file=sys.stderr, flush=True)
                else:
                    measured.setdefault(what, []).append(took)
                    peak = (took.peak_bytes or 0) // _MIB
                    print(f"memory, {what}, {table}: {peak} MiB, {took.seconds:.1f} s", flush=True)
        return Results(measured, problems)

    def table(self, results: Results) -> str:
        """Write the table: a line a stage, the sizes side by side."""
        lines = [
            "### memory",
            "",
            f"| who | peak MiB | {FOLD} x the rows: peak MiB | seconds | {FOLD} x the rows: seconds |",
            "|---|---:|---:|---:|---:|",
        ]
        for what, took in results.measured.items():
            peaks = [f"{(one.peak_bytes or 0) / _MIB:.0f}" for one in took]
            seconds = [f"{one.seconds:.1f}" for one in took]
            few, many = ([*column, "failed"][:2] for column in (peaks, seconds))
            lines.append(f"| {what} | {few[0]} | {few[1]} | {many[0]} | {many[1]} |")
        lines += [f"| {what} | failed | failed |  |  |" for what in results.problems if what not in results.measured]
        good = "every stage did, with both" if not results.problems else f"**missed** by {', '.join(results.problems)}"
        return "\n".join([*lines, "", f"- To reach: the same container limit of 512 MiB for both. Reached: {good}."])


def memory(place: Arena) -> Memory:
    """Measure memory on two sizes."""
    del place
    return Memory()


def _works(place: Arena, table: str, years: int) -> Iterator[tuple[str, Container]]:
    """Give each stage's work, when all that it needs is ready."""
    first = datetime(2013, 1, 1, tzinfo=UTC)
    interval = Interval(start=first, end=first.replace(year=2013 + years))
    about = {"interval": interval, "run_uri": f"file:///runs/memory-{years}"}
    extraction = stage(task(place, ExtractTask, spec={"flights": {"sql": "bench", "table": table}}, **about))
    yield "extract", extraction
    (rows,) = place.result(extraction).datasets
    for what, query in (("transform, SQL", _QUERY), ("transform, SQL, sorted", _SORTED)):
        yield what, stage(task(place, TransformTask, inputs=[rows], spec={"sql": {"made": query}}, **about))
    load = partial(_load, place, rows, about)
    sql = place.warehouse.sql
    _remake(place)
    yield "load, append", load(mode="append")
    _remake(place)
    sql(f"insert into {TABLE} select * from {table}")
    sql(f"create index on {TABLE} (flight_date)")
    sql(f"analyze {TABLE}")
    yield "load, partition", load(mode="partition", partition="flight_date")
    _remake(place)
    columns = ", ".join(NAMES).replace("distance", "distance + (day in (8, 18, 28))::int")
    sql(f"insert into {TABLE} select {columns} from {table} where day not in (7, 17, 27)")
    sql(f"alter table {TABLE} add primary key ({', '.join(KEY)})")
    sql(f"analyze {TABLE}")
    yield "load, upsert", load(mode="upsert", key=list(KEY))
    sql(f"drop table {TABLE}")


def _load(place: Arena, rows: Dataset, about: dict[str, object], **target: object) -> Container:
    return stage(task(place, LoadTask, inputs=[rows], spec={"flights": {"table": TABLE, **target}}, **about))


def _remake(place: Arena) -> None:
    place.warehouse.sql(f"drop table if exists {TABLE}")
    place.warehouse.sql(f"create unlogged table {TABLE} ({COLUMNS})")
    place.warehouse.sql(f"alter table {TABLE} owner to load")


def _multiply(place: Arena) -> None:
    """Repeat the rows in as many years after them."""
    place.warehouse.sql(f"create unlogged table source.many ({COLUMNS})")
    for number in range(FOLD):
        later = f"+ interval '{number * place.times} years'"
        columns = [f"{name} {later}" if name in {"flight_date", "time_hour"} else name for name in NAMES]
        place.warehouse.sql(f"insert into source.many select {', '.join(columns)} from source.flights")
    place.warehouse.sql("analyze source.many")
    place.warehouse.sql("grant select on source.many to extract")


def _clear(place: Arena) -> None:
    place.warehouse.sql(f"drop table if exists {TABLE}, source.many")
