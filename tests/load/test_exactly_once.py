"""Whatever happens to a load, and whenever, its retry leaves the table of one clean load, byte for byte."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from etl_contract import LoadTask, Outcome
from tests.load.cases import CASES, FIRST, TABLE, Case, flights
from tests.load.proxy import Proxy
from tests.load.warehouse import Loading, Process, Warehouse

ROWS = 50_000
SECONDS = dict.fromkeys([case.mode for case in CASES], 0.0)  # how long an undisturbed load takes until it commits

type Trouble = Callable[[], None]


@contextmanager
def killed(loading: Loading, task: LoadTask) -> Iterator[tuple[Process, Trouble]]:
    """Kill the process with SIGKILL."""
    with loading.start(task) as load:
        yield load, load.kill


@contextmanager
def server_crashed(loading: Loading, task: LoadTask) -> Iterator[tuple[Process, Trouble]]:
    """Kill PostgreSQL, and start it again."""
    with loading.start(task) as load:
        yield load, loading.warehouse.restart


@contextmanager
def line_cut(loading: Loading, task: LoadTask) -> Iterator[tuple[Process, Trouble]]:
    """Drop the connection between the two."""
    with Proxy(loading.warehouse.host) as proxy:
        through = loading.warehouse.uri().replace(f"@{loading.warehouse.host}:5432", f"@127.0.0.1:{proxy.port}")
        with Process(task, through) as load:
            yield load, proxy.cut


TROUBLES = [(killed, 4), (server_crashed, 2), (line_cut, 2)]  # for each of the five modes


@pytest.mark.parametrize(("trouble", "times"), TROUBLES, ids=[trouble.__name__ for trouble, _ in TROUBLES])
def test_retry_leaves_a_clean_load(loading: Loading, case: Case, trouble: Any, times: int) -> None:  # noqa: ANN401
    """A load that is disturbed at a random moment has done nothing or all, says so in the ledger, and is repaired."""
    warehouse = loading.warehouse
    before, clean, task = prepared(loading, case)
    chance = random.Random(f"{case.mode} {trouble.__name__}")  # noqa: S311 - repeatable
    undone = 0

    for part in range(times):
        restore(warehouse)
        with trouble(loading, task) as (load, strike):
            warehouse.until(RUNNING)
            # The first strike comes at once, so that on any machine one comes before the commit.
            time.sleep(SECONDS[case.mode] * (part + chance.random()) / times if part else 0)
            strike()
            settled(load)
        warehouse.until(GONE)
        loads = warehouse.sql("select try_number from etl.loads")
        undone += not loads
        assert content(warehouse) == (clean if loads else before)

        with Process(task.model_copy(update={"try_number": 2}), warehouse.uri()) as retry:
            result = retry.result()
        assert result.outcome is Outcome.done, result
        assert content(warehouse) == clean
        (line,) = warehouse.ledger()
        assert (line["try_number"], str(line["load_id"])) == (2, result.loads[0].load_id)
        warehouse.until(GONE)
        assert warehouse.staging() == []
        assert warehouse.sql("select 1 from pg_locks where locktype = 'advisory'") == []
    assert undone  # else nothing was disturbed


RUNNING = "select 1 from pg_stat_activity where application_name like 'etl load %'"
GONE = f"select 1 where not exists ({RUNNING})"


def prepared(loading: Loading, case: Case) -> tuple[bytes, bytes, LoadTask]:
    """Give the table with an older version of the day, that after a clean load over it, and the load's task."""
    loading.load("flights", flights(FIRST, ROWS, version=2), case.target, run_id="older")
    loading.warehouse.sql(f"create table mart.before as table {TABLE}")
    task = loading.task({"flights": (flights(FIRST, ROWS), case.target)})
    before = content(loading.warehouse)
    with loading.start(task) as load:
        loading.warehouse.until(RUNNING)
        started = time.monotonic()
        loading.warehouse.until(f"select 1 from etl.loads where run_id = '{task.run_id}'")  # noqa: S608 - a name of ours
        SECONDS[case.mode] = time.monotonic() - started
        assert load.result().outcome is Outcome.done
    clean = content(loading.warehouse)
    assert before != clean
    return before, clean, task


def restore(warehouse: Warehouse) -> None:
    """Put the older version back."""
    warehouse.sql(f"truncate {TABLE}, etl.loads")
    warehouse.sql(f"insert into {TABLE} table mart.before")


def content(warehouse: Warehouse) -> bytes:
    """Give the whole table as COPY writes it, in the order of its rows' text."""
    with (
        psycopg.connect(warehouse.uri("postgres")) as connection,
        connection.cursor().copy(f"copy (select t.* from {TABLE} t order by t::text) to stdout") as copy,  # noqa: S608 - a name of ours
    ):
        return b"".join(bytes(piece) for piece in copy)


def settled(load: Process) -> None:
    """Wait until a load that lives on has ended; it asks for a retry, or was done before."""
    if not load.ended():
        assert load.result().outcome in (Outcome.retry, Outcome.done)
