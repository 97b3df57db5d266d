"""Races of load: append, partition, upsert."""

from collections.abc import Iterator
from dataclasses import replace

from tests.bench.arena import COLUMNS, KEY, NAMES, Arena
from tests.bench.flights import extracted, file_of, loading, make
from tests.bench.race import Goal, Race, peer, psql, stage


def append(arena: Arena) -> Race:
    """Add the rows to a table that is empty."""
    uri, table, source = arena.warehouse.uri("load"), "mart.flights", file_of(extracted(arena))

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        make(arena, table)

    return Race(
        "load, append",
        Goal(ratio=1.3, mebibytes=200, ahead={"pandas": 10, "dlt": 3}),
        (
            psql(uri, f"\\copy {table} from '/runs/flights.bin' with (format binary)"),
            stage(loading(arena, {"table": table, "mode": "append"})),
            peer("adbc", "load_adbc", uri, table, source),
            peer("polars", "load_polars", uri, table, source),
            peer("dlt", "load_dlt", uri, table, source, "append"),
            peer("pandas", "load_pandas", uri, table, source, "plain", name="pandas.to_sql"),
            # Its third of an hour for all rows would be most of the bench.
            replace(
                peer(
                    "pandas",
                    "load_pandas",
                    uri,
                    table,
                    source,
                    "multi",
                    name="pandas.to_sql (multi, a tenth of the rows, times 10)",
                ),
                times=10,
            ),
        ),
        before,
    )


def partition(arena: Arena) -> Race:
    """Replace all days of a table by the same rows."""
    uri, table, source = arena.warehouse.uri("load"), "mart.flights", file_of(extracted(arena))
    first, last = arena.warehouse.sql("select min(flight_date), max(flight_date) from source.flights")[0]

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        make(arena, table)
        arena.warehouse.sql(f"insert into {table} select * from source.flights")
        arena.warehouse.sql(f"create index on {table} (flight_date)")
        arena.warehouse.sql(f"vacuum analyze {table}")

    merge = (
        f"delete from {table} where flight_date between '{first}' and '{last}'; "
        f"insert into {table} select * from staging.bench"
    )
    return Race(
        "load, partition",
        Goal(ratio=1.2),
        (
            psql(uri, *_staged(f"begin; {merge}; commit")),
            stage(loading(arena, {"table": table, "mode": "partition", "partition": "flight_date"})),
            peer("dlt", "load_dlt", uri, table, source, "partition", "flight_date"),
        ),
        before,
    )


def upsert(arena: Arena) -> Race:
    """Bring rows to a table that lacks a tenth of them, and has another tenth otherwise."""
    uri, table, source = arena.warehouse.uri("load"), "mart.flights", file_of(extracted(arena))
    key = ", ".join(KEY)

    def before() -> None:
        arena.warehouse.sql("drop table if exists mart.flights")
        make(arena, table)
        columns = ", ".join(NAMES).replace("distance", "distance + (day in (8, 18, 28))::int")
        arena.warehouse.sql(f"insert into {table} select {columns} from source.flights where day not in (7, 17, 27)")
        arena.warehouse.sql(f"alter table {table} add primary key ({key})")
        arena.warehouse.sql(f"vacuum analyze {table}")

    others = [name for name in NAMES if name not in KEY]
    same = " and ".join(f"t.{name} = s.{name}" for name in KEY)
    merge = (
        f"update {table} as t set {', '.join(f'{name} = s.{name}' for name in others)} from staging.bench as s "
        f"where {same} and ({' or '.join(f't.{name} is distinct from s.{name}' for name in others)}); "
        f"insert into {table} select * from staging.bench as s where not exists (select from {table} as t where {same})"
    )
    return Race(
        "load, upsert",
        Goal(ratio=1.2),
        (
            psql(uri, *_staged(f"begin; {merge}; commit")),
            stage(loading(arena, {"table": table, "mode": "upsert", "key": list(KEY)})),
            peer("dlt", "load_dlt", uri, table, source, "merge", *KEY),
        ),
        before,
    )


def _staged(merge: str) -> Iterator[str]:
    """Copy into a staging table by hand, and merge."""
    yield f"create unlogged table staging.bench ({COLUMNS})"
    yield "\\copy staging.bench from '/runs/flights.bin' with (format binary)"
    yield "analyze staging.bench"
    yield merge
    yield "drop table staging.bench"
