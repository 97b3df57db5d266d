"""What every mode promises. A new mode joins with a line in CASES."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from etl_contract import LoadMode, LoadTask, Outcome, StageError, Unavailable
from etl_load._load import load_into
from etl_load._modes import MODES
from etl_load._warehouse import lock_key
from tests.load.warehouse import Loading, Process, Warehouse, day_of

FIRST, SECOND = date(2024, 3, 1), date(2024, 3, 2)
TABLE = "mart.flights"


@dataclass(frozen=True)
class Case:
    """A mode as a pipeline uses it: its target, and what loading a day twice does to the table's rows."""

    mode: LoadMode
    target: dict[str, Any]
    again: tuple[str, ...]  # which counts the same rows make again


CASES = [
    Case(LoadMode.partition, {"table": TABLE, "mode": "partition", "partition": "day"}, ("inserted", "deleted")),
    Case(LoadMode.upsert, {"table": TABLE, "mode": "upsert", "key": ["id"]}, ()),
]


@pytest.fixture(params=CASES, ids=lambda case: case.mode)
def case(request: pytest.FixtureRequest) -> Case:
    """Give each mode in turn."""
    return request.param


def flights(day: date, count: int = 500, *, version: int = 1) -> pa.Table:
    """Make a day's rows with a value of many kinds; another version differs in some."""
    ids = range(day.toordinal() * 1_000_000, day.toordinal() * 1_000_000 + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "day": pa.array([day] * count, pa.date32()),
            "delay": pa.array([None if i % 7 == 0 else i % 60 + version * (i % 10 == 0) for i in ids], pa.int16()),
            "tail": pa.array([f"N{i} é" if i % 3 else "" for i in ids], pa.string()),
            "fare": pa.array([Decimal(i % 1000) / 100 for i in ids], pa.decimal128(10, 2)),
            "share": pa.array([i / 7 for i in ids], pa.float64()),
        }
    )


def test_every_mode_is_in_the_suite() -> None:
    """No mode is without these tests, and each of the contract's has its merge."""
    assert {case.mode for case in CASES} == set(LoadMode) == set(MODES)


def test_first_load_makes_the_table(loading: Loading, case: Case) -> None:
    """The first load makes the table, with its rows and the name of its pipeline."""
    result = loading.load("flights", flights(FIRST), case.target)

    (load,) = result.loads
    assert result.outcome is Outcome.done
    assert (load.rows_staged, load.rows_inserted, load.rows_updated, load.rows_deleted) == (500, 500, 0, 0)
    assert (result.rows_in, result.rows_out) == (500, 500)
    assert len(loading.warehouse.rows(TABLE)) == 500
    comment = loading.warehouse.sql("select obj_description('mart.flights'::regclass)")
    assert comment == [(f"Loaded by the pipeline flights, mode {case.mode}",)]


def test_same_interval_twice_leaves_the_same_rows(loading: Loading, case: Case) -> None:
    """Loading again changes nothing, and the counts say what was done for that."""
    loading.load("flights", flights(FIRST), case.target)
    before = loading.warehouse.rows(TABLE)

    (load,) = loading.load("flights", flights(FIRST), case.target, run_id="manual").loads

    assert loading.warehouse.rows(TABLE) == before
    done = {name: getattr(load, f"rows_{name}") for name in ("inserted", "updated", "deleted")}
    assert done == {name: 500 if name in case.again else 0 for name in done}


def test_days_do_not_touch_each_other(loading: Loading, case: Case) -> None:
    """Another day's load leaves the first day's rows as they are, in place."""
    loading.load("flights", flights(FIRST), case.target)
    physical = loading.warehouse.sql("select ctid, xmin, t::text from mart.flights t order by id")

    loading.load("flights", flights(SECOND), case.target, interval=day_of(SECOND), run_id="second")

    after = loading.warehouse.sql("select ctid, xmin, t::text from mart.flights t where day = '2024-03-01' order by id")
    assert after == physical
    assert len(loading.warehouse.rows(TABLE)) == 1000


def test_corrected_rows_replace_what_was_wrong(loading: Loading, case: Case) -> None:
    """A day loaded with other values has those values after."""
    loading.load("flights", flights(FIRST), case.target)

    loading.load("flights", flights(FIRST, version=2), case.target, run_id="manual")

    corrected = loading.warehouse.rows(TABLE)
    loading.warehouse.clear()
    loading.load("flights", flights(FIRST, version=2), case.target)
    assert corrected == loading.warehouse.rows(TABLE)


def test_no_rows_are_a_load_too(loading: Loading, case: Case) -> None:
    """An interval with no rows loads, makes the table, and is in the ledger."""
    result = loading.load("flights", flights(FIRST, 0), case.target)

    assert result.outcome is Outcome.done
    assert loading.warehouse.rows(TABLE) == []
    assert [line["rows_staged"] for line in loading.warehouse.ledger()] == [0]


def test_ledger_tells_what_was_done(loading: Loading, case: Case) -> None:
    """The ledger names run, try, dataset, table, interval, counts and the file's checksum."""
    task = loading.task({"flights": (flights(FIRST), case.target)}, try_number=2)

    (load,) = load_into(loading.warehouse.uri(), task).loads

    (line,) = loading.warehouse.ledger()
    assert str(line.pop("load_id")) == load.load_id
    assert line.pop("loaded_at")
    assert line == {
        "pipeline": "flights",
        "run_id": "scheduled__2024-03-01",
        "try_number": 2,
        "dataset": "flights",
        "target_table": TABLE,
        "mode": str(case.mode),
        "interval_start": task.interval.start,
        "interval_end": task.interval.end,
        "rows_staged": 500,
        "rows_inserted": 500,
        "rows_updated": 0,
        "rows_deleted": 0,
        "sha256": task.inputs[0].sha256,
    }


def test_all_tables_of_a_run_or_none(loading: Loading, case: Case) -> None:
    """When one dataset of a run cannot be merged, the others are not either, and nothing is left in staging."""
    loading.warehouse.sql("create table mart.strict (id bigint unique check (id < 0), day date)")
    loading.warehouse.sql("grant all on mart.strict to load")
    poor = flights(FIRST, 3).select(["id", "day"])
    tables = {"flights": (flights(FIRST), case.target), "strict": (poor, {**case.target, "table": "mart.strict"})}

    with pytest.raises(StageError, match="violates check constraint"):
        load_into(loading.warehouse.uri(), loading.task(tables))

    assert loading.warehouse.sql("select to_regclass('mart.flights')") == [(None,)]
    assert loading.warehouse.ledger() == []
    assert loading.warehouse.staging() == []


def test_hostile_names_are_only_names(loading: Loading, case: Case) -> None:
    """Quotes, percent signs, keywords and SQL in a column's name name a column."""
    names = ['select "x"; drop', "100%", "%(id)s", "ünï:cöde", "a.b", ":start", "Ids", "user", "?", "{}", "x" * 63]
    rows = flights(FIRST, 3)
    for name in names:
        rows = rows.append_column(name, pa.array([1, None, 3]))

    loading.load("flights", rows, case.target)
    loading.load("flights", rows.set_column(6, names[0], pa.array([1, 2, 3])), case.target)

    found = loading.warehouse.sql(
        "select attname from pg_attribute where attrelid = 'mart.flights'::regclass and attnum > 6 order by attnum"
    )
    assert [name for (name,) in found] == names
    assert loading.warehouse.sql('select count("select ""x""; drop") from mart.flights') == [(3,)]


def test_report_may_read_what_load_makes(loading: Loading, case: Case) -> None:
    """The roles that read the warehouse can read a new table, and only that."""
    loading.load("flights", flights(FIRST), case.target)

    for role in ("extract", "report", "analyst"):
        with psycopg.connect(loading.warehouse.uri(role)) as connection:
            assert connection.execute("select count(*) from mart.flights").fetchone() == (500,)
            connection.rollback()
            connection.read_only = False  # the role's default is not what protects the table
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("delete from mart.flights")


@pytest.mark.parametrize("same_run", [True, False], ids=["same run", "two runs"])
def test_two_loads_at_once_leave_what_one_leaves(loading: Loading, case: Case, *, same_run: bool) -> None:
    """Two loads of one interval at the same time, of one run or of two, both end well and leave a clean load's rows."""
    expected = clean_load(loading, case)
    runs = ["one", "one" if same_run else "two"]
    tasks = [
        loading.task({"flights": (big(), case.target)}, run_id=run, try_number=n + 1) for n, run in enumerate(runs)
    ]

    with loading.start(tasks[0]) as one, loading.start(tasks[1]) as two:
        outcomes = [one.result().outcome, two.result().outcome]

    assert outcomes == [Outcome.done, Outcome.done]
    assert loading.warehouse.rows(TABLE) == expected
    assert len(loading.warehouse.ledger()) == len(set(runs))
    assert_nothing_is_left(loading.warehouse)


def mid_copy(warehouse: Warehouse) -> Iterator[str]:
    """Stop while rows flow."""
    yield "select 1 from pg_stat_progress_copy where tuples_processed > 0"


def before_merge(warehouse: Warehouse) -> Iterator[str]:
    """Stop when all is staged, and nothing merged."""
    with warehouse.holding(f"select pg_advisory_lock({lock_key(TABLE)})"):
        yield "select 1 from pg_locks where locktype = 'advisory' and not granted"


def before_commit(warehouse: Warehouse) -> Iterator[str]:
    """Stop when all is merged, and nothing committed."""
    with warehouse.holding("lock table etl.loads in exclusive mode"):
        yield "select 1 from pg_locks where relation = 'etl.loads'::regclass and not granted"


def after_commit(warehouse: Warehouse) -> Iterator[str]:
    """Stop when all is committed, and the result line not yet read."""
    yield "select 1 from etl.loads"


UNDISTURBED: dict[LoadMode, list[str]] = {}
MOMENTS = [mid_copy, before_merge, before_commit, after_commit]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_killed_load_is_repaired_by_its_retry(loading: Loading, case: Case, moment: Any) -> None:  # noqa: ANN401
    """Killed with SIGKILL at any point, the retry leaves a clean load's rows, a true ledger and nothing else."""
    expected = clean_load(loading, case)
    task = loading.task({"flights": (big(), case.target)})

    with contextmanager(moment)(loading.warehouse) as reached, loading.start(task) as load:
        loading.warehouse.until(reached)
        load.kill()

    assert loading.warehouse.sql("select count(*) from etl.loads") == [(1 if moment is after_commit else 0,)]
    assert_retry_repairs(loading, task, expected)


@pytest.mark.parametrize("seed", range(2))
def test_load_killed_anywhere_is_repaired_by_its_retry(loading: Loading, case: Case, seed: int) -> None:
    """Killed at a random moment, three times on end, the next try still leaves a clean load's rows."""
    expected = clean_load(loading, case)
    task = loading.task({"flights": (big(), case.target)})
    chance = random.Random(seed)  # noqa: S311 - repeatable

    for _ in range(3):
        with loading.start(task) as load:
            loading.warehouse.until("select 1 from pg_stat_activity where application_name like 'etl load %'")
            time.sleep(chance.uniform(0, 0.6))
            load.kill()

    assert_retry_repairs(loading, task, expected)


@pytest.mark.parametrize("moment", [mid_copy, before_commit], ids=lambda moment: moment.__name__)
def test_load_that_loses_its_connection_asks_for_a_retry(loading: Loading, case: Case, moment: Any) -> None:  # noqa: ANN401
    """A connection that the server ends is a reason to try again, and the next try leaves a clean load's rows."""
    expected = clean_load(loading, case)
    task = loading.task({"flights": (big(), case.target)})

    with contextmanager(moment)(loading.warehouse) as reached, loading.start(task) as load:
        loading.warehouse.until(reached)
        loading.warehouse.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'load'")
        result = load.result()

    assert result.outcome is Outcome.retry
    assert result.fault
    assert result.fault.kind == "Unavailable"
    assert_retry_repairs(loading, task, expected)


def test_server_that_crashes_mid_copy_loses_nothing(loading: Loading, case: Case) -> None:
    """After a crash of PostgreSQL in the middle of a load, the next try leaves a clean load's rows."""
    expected = clean_load(loading, case)
    task = loading.task({"flights": (big(), case.target)})

    with loading.start(task) as load:
        loading.warehouse.until("select 1 from pg_stat_progress_copy where tuples_processed > 0")
        loading.warehouse.restart()
        outcome = load.result().outcome

    assert outcome is Outcome.retry
    assert_retry_repairs(loading, task, expected)


def test_stop_signal_ends_a_waiting_load_at_once(loading: Loading, case: Case) -> None:
    """A load that waits for a lock ends within seconds of SIGTERM, and its session with it."""
    task = loading.task({"flights": (flights(FIRST), case.target)})

    with loading.warehouse.holding(f"select pg_advisory_lock({lock_key(TABLE)})"), loading.start(task) as load:
        loading.warehouse.until("select 1 from pg_locks where locktype = 'advisory' and not granted")
        started = time.monotonic()
        load.kill(signal.SIGTERM)
        seconds = time.monotonic() - started

    assert seconds < 4
    gone = "select 1 where not exists (select 1 from pg_stat_activity where usename = 'load')"
    loading.warehouse.until(gone, seconds=8)


def test_load_waits_for_another_of_the_same_table(loading: Loading, case: Case) -> None:
    """A load merges only when no other load has the table's lock."""
    task = loading.task({"flights": (flights(FIRST), case.target)})
    done = threading.Event()

    def load() -> None:
        load_into(loading.warehouse.uri(), task)
        done.set()

    with loading.warehouse.holding(f"select pg_advisory_lock({lock_key(TABLE)})"):
        thread = threading.Thread(target=load)
        thread.start()
        loading.warehouse.until("select 1 from pg_locks where locktype = 'advisory' and not granted")
        assert not done.wait(0.2)
    thread.join(timeout=20)

    assert done.is_set()
    assert len(loading.warehouse.rows(TABLE)) == 500


def test_what_dead_loads_left_is_swept(loading: Loading, case: Case) -> None:
    """The staging table of a load that died and was never tried again goes with the next load of anything."""
    with loading.start(loading.task({"flights": (big(), case.target)}, run_id="given up")) as load:
        with loading.warehouse.holding(f"select pg_advisory_lock({lock_key(TABLE)})"):
            loading.warehouse.until("select 1 from pg_locks where locktype = 'advisory' and not granted")
            load.kill()
        loading.warehouse.until("select 1 where not exists (select 1 from pg_stat_activity where usename = 'load')")
    assert len(loading.warehouse.staging()) == 1

    loading.load("other", flights(FIRST, 3), {**case.target, "table": "mart.other"}, run_id="next")

    assert_nothing_is_left(loading.warehouse)


def test_unreachable_warehouse_asks_for_a_retry(loading: Loading, case: Case) -> None:
    """A warehouse that does not answer is worth another try; the message names it without the password."""
    task = loading.task({"flights": (flights(FIRST), case.target)})

    with pytest.raises(Unavailable) as caught:
        load_into("postgresql://load:s3cret@127.0.0.1:1/warehouse", task)

    assert caught.value.where == "warehouse 127.0.0.1:1/warehouse"
    assert "Connection refused" in caught.value.problem
    assert "s3cret" not in str(caught.value)


@cache
def big() -> pa.Table:
    """Make a day that takes long enough to be met in the middle."""
    return flights(FIRST, 60_000)


def clean_load(loading: Loading, case: Case) -> list[str]:
    """Put an older version of the day there; give the rows that one undisturbed load over it leaves."""
    older = flights(FIRST, 60_000, version=2)
    loading.load("flights", older, case.target, run_id="older")
    if case.mode not in UNDISTURBED:
        loading.load("flights", big(), case.target, run_id="clean")
        UNDISTURBED[case.mode] = loading.warehouse.rows(TABLE)
        loading.load("flights", older, case.target, run_id="older")
    loading.warehouse.sql("delete from etl.loads")
    return UNDISTURBED[case.mode]


def assert_retry_repairs(loading: Loading, task: LoadTask, expected: list[str]) -> None:
    """Load as the next try, and compare everything with a clean load."""
    with Process(task.model_copy(update={"try_number": 2}), loading.warehouse.uri()) as retry:
        result = retry.result()

    assert result.outcome is Outcome.done, result
    assert loading.warehouse.rows(TABLE) == expected
    (line,) = loading.warehouse.ledger()
    assert (line["try_number"], str(line["load_id"])) == (2, result.loads[0].load_id)
    assert_nothing_is_left(loading.warehouse)


def assert_nothing_is_left(warehouse: Warehouse) -> None:
    """No staging table, no session, no lock."""
    warehouse.until("select 1 where not exists (select 1 from pg_stat_activity where usename = 'load')")
    assert warehouse.staging() == []
    assert warehouse.sql("select 1 from pg_locks where locktype = 'advisory'") == []
