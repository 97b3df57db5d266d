"""What every mode promises when nothing disturbs it."""

import psycopg
import pyarrow as pa
import pytest

from etl_contract import LoadMode, Outcome, StageError
from etl_load._load import load_into
from etl_load._modes import MODES
from tests.load.cases import CASES, FIRST, SECOND, TABLE, Case, flights
from tests.load.warehouse import Loading, day_of


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
    assert after == (physical if case.keeps_other_days else [])
    assert len(loading.warehouse.rows(TABLE)) == (1000 if case.keeps_other_days else 500)


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


@pytest.mark.parametrize("columns", ["declared", "unknown"])
def test_source_without_new_files_leaves_the_table_as_it_is(loading: Loading, case: Case, columns: str) -> None:
    """No new file beside other sources is not the same as a file without rows; a table is made all the same."""
    rows = flights(FIRST).slice(0, 0) if columns == "declared" else pa.table({})
    idle = loading.task({"flights": (rows, case.target)}, run_id="idle").model_copy(update={"idle": ("flights",)})
    load_into(loading.warehouse.uri(), idle)
    assert bool(loading.warehouse.sql("select to_regclass('mart.flights')")[0][0]) is (columns == "declared")
    loading.load("flights", flights(FIRST), case.target)
    before = loading.warehouse.rows(TABLE)

    load_into(loading.warehouse.uri(), idle)

    assert loading.warehouse.rows(TABLE) == before


def test_ledger_tells_what_was_done(loading: Loading, case: Case) -> None:
    """The ledger names run, try, dataset, table, interval, counts and the file's checksum."""
    task = loading.task({"flights": (flights(FIRST), case.target)}, try_number=2)

    (load,) = load_into(loading.warehouse.uri(), task).loads

    (line,) = loading.warehouse.ledger()
    assert str(line.pop("load_id")) == load.load_id
    assert loading.warehouse.sql("select 'mart.flights'::regclass::oid") == [(line.pop("table_id"),)]
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
        "rows_quarantined": 0,
        "sha256": task.inputs[0].sha256,
    }


def test_all_tables_of_a_run_or_none(loading: Loading, case: Case) -> None:
    """When one dataset of a run cannot be merged, the others are not either, and nothing is left in staging."""
    strict = {**case.target, "table": "mart.strict"}
    loading.load("strict", flights(FIRST, 0), strict)
    loading.warehouse.sql("alter table mart.strict add check (id < 0)")
    loading.warehouse.sql("delete from etl.loads")
    tables = {"flights": (flights(FIRST), case.target), "strict": (flights(FIRST, 3), strict)}

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
    assert [name for (name,) in found] == [*names, *case.columns]
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
