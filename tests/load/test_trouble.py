"""What every mode promises when loads meet, are killed, or lose the warehouse: the rows of one undisturbed load."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import LoadMode, LoadTask, Outcome, Unavailable
from etl_load._load import load_into
from etl_load._warehouse import lock_key
from tests.load.cases import CASES, FIRST, TABLE, Case, flights
from tests.load.warehouse import Loading, Process, Warehouse


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


@pytest.mark.parametrize("case", [case for case in CASES if case.staged], ids=lambda case: case.mode)
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
