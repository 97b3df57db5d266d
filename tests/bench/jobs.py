"""Lists the jobs: what is done, who does it, whose time is the limit, and what we want to reach.

A job joins with a function and a line in `JOBS`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from etl_contract import Dataset, ExtractTask, Interval, LoadTask, StageTask, TransformTask
from tests._engine import image
from tests.bench.arena import COLUMNS, HERE, KEY, NONCE, Arena, Contender

OURS = "etl-platform"
LIMIT = "limit: "  # what cannot be done faster with the tools at hand, and is not a peer


@dataclass(frozen=True)
class Job:
    """A job, and who does it; the first contender is the limit.

    Args:
        name: what is done.
        reach: what we want of ourselves.
        contenders: the limit first, then we, then the peers.
        before: makes ready what a run changes; it is not measured.
    """

    name: str
    reach: str
    contenders: tuple[Contender, ...]
    before: Callable[[], object] = lambda: None


def stage(task: StageTask, memory: str = "512m", who: str = OURS) -> Contender:
    """Run a stage in its own image, as the operator would."""
    name = type(task).__name__.removesuffix("Task").lower()
    environment = {"ETL_TASK": task.model_dump_json(), "ETL_NONCE": NONCE}
    return Contender(who, ("python", "-m", f"etl_{name}"), image(name), memory, environment)


def peer(environment: str, script: str, *arguments: str, name: str = "") -> Contender:
    """Run a peer's script in the peer's environment."""
    command = (f"/opt/peers/{environment}/bin/python", f"/bench/peers/{script}.py", *arguments)
    return Contender(name or environment, command)


def psql(uri: str, *statements: str) -> Contender:
    """Run statements in one session of psql."""
    words = [word for statement in statements for word in ("--command", statement)]
    return Contender(f"{LIMIT}psql", ("psql", "--quiet", "--no-psqlrc", uri, "--set=ON_ERROR_STOP=1", *words))


def extract(arena: Arena) -> Job:
    """Copy a table into Parquet."""
    uri, table = arena.warehouse.uri("extract"), "source.flights"
    dlt = [
        peer("dlt", "extract_dlt", uri, table, f"/runs/{kind}", kind, name=f"dlt ({kind})")
        for kind in ("connectorx", "sqlalchemy")
    ]
    return Job(
        "extract a table to Parquet",
        "at most 1.2 x the limit",
        (
            psql(uri, f"\\copy (select * from {table}) to '/runs/flights.bin' with (format binary)"),
            stage(_extraction(arena)),
            peer("duckdb", "extract_duckdb", uri, table, "/runs/duckdb.parquet"),
            peer("connectorx", "extract_connectorx", uri, table, "/runs/connectorx.parquet"),
            peer("adbc", "extract_adbc", uri, table, "/runs/adbc.parquet"),
            *dlt,
            peer("pandas", "extract_pandas", uri, table, "/runs/pandas.parquet", name="pandas.read_sql"),
            peer("pandas", "extract_sqlalchemy", uri, table, "/runs/chunks.parquet", name="pandas, in chunks"),
        ),
    )


def append(arena: Arena) -> Job:
    """Add the rows to a table that is empty."""
    uri, table, source = arena.warehouse.uri("load"), "mart.flights", _file(_extracted(arena))

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        _make(arena, table)

    return Job(
        "load, append",
        "at most 1.3 x the limit",
        (
            psql(uri, f"\\copy {table} from '/runs/flights.bin' with (format binary)"),
            stage(_loading(arena, {"table": table, "mode": "append"})),
            peer("adbc", "load_adbc", uri, table, source),
            peer("polars", "load_polars", uri, table, source),
            peer("dlt", "load_dlt", uri, table, source, "append"),
            peer("pandas", "load_pandas", uri, table, source, "plain", name="pandas.to_sql"),
            peer("pandas", "load_pandas", uri, table, source, "multi", name="pandas.to_sql (multi)"),
        ),
        before,
    )


def partition(arena: Arena) -> Job:
    """Replace all days of a table by the same rows."""
    uri, table = arena.warehouse.uri("load"), "mart.flights"
    first, last = arena.warehouse.sql("select min(flight_date), max(flight_date) from source.flights")[0]

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        _make(arena, table)
        arena.warehouse.sql(f"insert into {table} select * from source.flights")
        arena.warehouse.sql(f"create index on {table} (flight_date)")
        arena.warehouse.sql(f"vacuum analyze {table}")

    merge = (
        f"delete from {table} where flight_date between '{first}' and '{last}'; "
        f"insert into {table} select * from staging.bench"
    )
    return Job(
        "load, partition",
        "at most 1.2 x the limit",
        (
            psql(uri, *_staged(f"begin; {merge}; commit")),
            stage(_loading(arena, {"table": table, "mode": "partition", "partition": "flight_date"})),
        ),
        before,
    )


def upsert(arena: Arena) -> Job:
    """Bring rows to a table that lacks a tenth of them, and has another tenth otherwise."""
    uri, table, source = arena.warehouse.uri("load"), "mart.flights", _file(_extracted(arena))
    key = ", ".join(KEY)

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        _make(arena, table)
        arena.warehouse.sql(
            f"insert into {table} select * from source.flights where day <> 7 and day <> 17 and day <> 27"
        )
        arena.warehouse.sql(f"update {table} set distance = distance + 1 where day in (8, 18, 28)")
        arena.warehouse.sql(f"alter table {table} add primary key ({key})")
        arena.warehouse.sql(f"vacuum analyze {table}")

    names = [column.split()[0] for column in COLUMNS.split(", ")]
    others = [name for name in names if name not in KEY]
    same = " and ".join(f"t.{name} = s.{name}" for name in KEY)
    merge = (
        f"update {table} as t set {', '.join(f'{name} = s.{name}' for name in others)} from staging.bench as s "
        f"where {same} and ({' or '.join(f't.{name} is distinct from s.{name}' for name in others)}); "
        f"insert into {table} select * from staging.bench as s where not exists (select from {table} as t where {same})"
    )
    return Job(
        "load, upsert",
        "at most 1.2 x the limit",
        (
            psql(uri, *_staged(f"begin; {merge}; commit")),
            stage(_loading(arena, {"table": table, "mode": "upsert", "key": list(KEY)})),
            peer("dlt", "load_dlt", uri, table, source, "merge", *KEY),
        ),
        before,
    )


def sql(arena: Arena) -> Job:
    """Run a query over the rows, into as many."""
    source = _extracted(arena)
    query = (
        "select *, distance / nullif(air_time, 0) * 60 as speed, dep_delay > 15 as late from flights "
        "where dep_delay is not null"
    )
    bare = ("python", "/bench/peers/transform_duckdb.py", _file(source), "/runs/duckdb.parquet", query)
    return Job(
        "transform, SQL",
        "at most 1.15 x the limit",
        (
            Contender(f"{LIMIT}the query in DuckDB", bare, image("transform")),
            stage(_task(arena, TransformTask, inputs=[source], spec={"sql": {"flights": query}}), "1g"),
        ),
    )


def pandas(arena: Arena) -> Job:
    """Call a function of the author with all rows in memory."""
    source = _extracted(arena)
    bare = ("python", "/bench/peers/late.py", _file(source), "/runs/late")
    spec = {"pandas": "late.py:late"}
    files = {"late.py": (HERE / "peers" / "late.py").read_text()}
    return Job(
        "transform, pandas",
        "at most 1.1 x the limit",
        (
            Contender(f"{LIMIT}the function, one read, one write", bare, image("transform"), "4g"),
            stage(_task(arena, TransformTask, inputs=[source], spec=spec, files=files), "4g"),
        ),
    )


def nothing(arena: Arena) -> Job:
    """Do next to nothing: what a stage costs before it works."""
    extraction = _task(arena, ExtractTask, spec={"one": {"sql": "bench", "query": "select 1 as n"}})
    (one,) = arena.result(stage(extraction)).datasets
    target = {"table": "mart.one", "mode": "upsert", "key": ["n"]}
    function = {"spec": {"pandas": "same.py:same"}, "files": {"same.py": "def same(one):\n    return {'one': one}\n"}}
    return Job(
        "next to nothing",
        "at most 0.5 s over the limit",
        (
            Contender(f"{LIMIT}an interpreter that ends at once", ("python3", "-c", "pass"), image("transform")),
            stage(extraction, who="extract"),
            stage(_task(arena, TransformTask, inputs=[one], spec={"sql": {"one": "from one"}}), who="transform, SQL"),
            stage(_task(arena, TransformTask, inputs=[one], **function), who="transform, pandas"),
            stage(_task(arena, LoadTask, inputs=[one], spec={"one": target}), who="load"),
        ),
    )


JOBS: dict[str, Callable[[Arena], Job]] = {
    "extract": extract,
    "append": append,
    "partition": partition,
    "upsert": upsert,
    "sql": sql,
    "pandas": pandas,
    "nothing": nothing,
}


def _staged(merge: str) -> Iterator[str]:
    """Copy into a staging table by hand, and merge."""
    yield f"create unlogged table staging.bench ({COLUMNS})"
    yield "\\copy staging.bench from '/runs/flights.bin' with (format binary)"
    yield "analyze staging.bench"
    yield merge
    yield "drop table staging.bench"


def _make(arena: Arena, table: str) -> None:
    """Make the target, empty, as the role that loads."""
    arena.warehouse.sql(f"create table {table} ({COLUMNS})")
    arena.warehouse.sql(f"alter table {table} owner to load")


def _interval(arena: Arena) -> Interval:
    first = datetime(2013, 1, 1, tzinfo=UTC)
    return Interval(start=first, end=first.replace(year=2013 + arena.times))


def _task[Task: StageTask](arena: Arena, kind: type[Task], **about: object) -> Task:
    """Describe a stage's work on all rows."""
    common = {"pipeline": "bench", "run_id": "bench", "interval": _interval(arena), "run_uri": "file:///runs/ours"}
    return kind.model_validate({**common, **about})


def _extraction(arena: Arena) -> ExtractTask:
    return _task(arena, ExtractTask, spec={"flights": {"sql": "bench", "table": "source.flights"}})


@cache
def _extracted(arena: Arena) -> Dataset:
    """Extract once for all who take it from there; beside it lies what psql loads."""
    limit, ours, *_ = extract(arena).contenders
    arena.run(limit)
    (dataset,) = arena.result(ours).datasets
    return dataset


def _file(dataset: Dataset) -> str:
    return dataset.uri.removeprefix("file://")


def _loading(arena: Arena, target: dict[str, object]) -> LoadTask:
    return _task(arena, LoadTask, inputs=[_extracted(arena)], spec={"flights": target})
