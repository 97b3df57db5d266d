"""Rows that a check set aside, and checks that ask the warehouse: they are loaded with the rest, or not at all."""

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, Expectation, LoadTask, SpecError, StageResult, TakenFile, TransformTask
from etl_load._load import load_into
from etl_transform.__main__ import transform
from tests.load.cases import FIRST, SECOND, TABLE, Case, flights
from tests.load.warehouse import Loading, day_of

UPSERT = {"table": TABLE, "mode": "upsert", "key": ["id"]}
POSITIVE = {"on_breach": "quarantine", "columns": {"delay": {"nullable": True, "in_range": [1, None]}}}


def checked(  # noqa: PLR0913 - a run has many sides
    loading: Loading,
    rows: pa.Table,
    expect: dict[str, Any],
    *,
    target: dict[str, Any] = UPSERT,
    run_id: str = "first",
    day: date = FIRST,
    **more: Any,  # noqa: ANN401
) -> LoadTask:
    """Check rows as the transform stage does, and describe the load that follows."""
    task = loading.task({"flights": (rows, target)}, interval=day_of(day), run_id=run_id)
    expectation = Expectation.model_validate(expect)
    made: StageResult = transform(
        TransformTask(
            pipeline=task.pipeline,
            run_id=run_id,
            interval=task.interval,
            run_uri=task.run_uri,
            inputs=task.inputs,
            expect={"flights": expectation},
        )
    )
    part = expectation.warehouse_part()
    return task.model_copy(
        update={
            "inputs": made.datasets,
            "expect": {"flights": part} if part else {},
            "checks": made.checks,
            "quarantined": made.quarantined,
            **more,
        }
    )


def kept(loading: Loading) -> list[tuple[Any, ...]]:
    """Give what is in quarantine, by run and row."""
    return loading.warehouse.sql(
        "select run_id, row_number, rule, column_name, value, also from quarantine.rows order by run_id, row_number"
    )


def delays(*values: int | None) -> pa.Table:
    """Make a flight for each delay."""
    return flights(FIRST, len(values)).set_column(2, "delay", pa.array(values, pa.int16()))


def test_rows_set_aside_are_kept_whole_and_counted(loading: Loading, case: Case) -> None:
    """Whatever the mode, the other rows are loaded; the ledger, the checks and the result count those that are not."""
    rows = delays(5, -3, None, 0)

    result = load_into(loading.warehouse.uri(), checked(loading, rows, POSITIVE, target=case.target))

    rule = "delay in_range [1, null]"
    assert len(loading.warehouse.rows(TABLE)) == 2
    assert kept(loading) == [("first", 2, rule, "delay", "-3", []), ("first", 4, rule, "delay", "0", [])]
    ((whole,),) = loading.warehouse.sql('select "row" from quarantine.rows where row_number = 2')
    expected = rows.slice(1, 1).to_pylist()[0]
    assert whole == {**expected, "day": "2024-03-01", "fare": float(expected["fare"])}
    assert [(line["rows_staged"], line["rows_quarantined"]) for line in loading.warehouse.ledger()] == [(2, 2)]
    assert [load.rows_quarantined for load in result.loads] == [2]
    assert loading.warehouse.sql("select dataset, rule, on_breach, rows, breaches from etl.checks") == [
        ("flights", rule, "quarantine", 4, 2)
    ]
    assert [(check.rule, check.breaches) for check in result.checks] == [(rule, 2)]


def test_a_second_load_replaces_what_the_first_kept(loading: Loading) -> None:
    """A retry, and another run of the same interval, leave only what still breaches; another day's rows stay."""
    load_into(loading.warehouse.uri(), checked(loading, delays(-1, -2, 3), POSITIVE))
    load_into(loading.warehouse.uri(), checked(loading, delays(-9), POSITIVE, run_id="other day", day=SECOND))

    load_into(loading.warehouse.uri(), checked(loading, delays(-1, -2, 3), POSITIVE))
    assert [(run, number) for run, number, *_ in kept(loading)] == [("first", 1), ("first", 2), ("other day", 1)]

    load_into(loading.warehouse.uri(), checked(loading, delays(1, -2, 3), POSITIVE, run_id="by hand"))
    assert [(run, number) for run, number, *_ in kept(loading)] == [("by hand", 2), ("other day", 1)]

    load_into(loading.warehouse.uri(), checked(loading, delays(1, 2, 3), POSITIVE, run_id="by hand"))
    assert [(run, number) for run, number, *_ in kept(loading)] == [("other day", 1)]
    assert loading.warehouse.sql("select count(*) from mart.flights where delay > 0") == [(3,)]


def test_a_source_that_remembers_gives_each_run_its_own_rows(loading: Loading) -> None:
    """Where a run reads what is new, another run of the same interval keeps its rows beside the first's."""
    taken = TakenFile(source="flights", uri="file:///a.csv", bytes=1, sha256="0" * 64)
    load_into(loading.warehouse.uri(), checked(loading, delays(-1), POSITIVE, files=(taken,)))

    other = taken.model_copy(update={"uri": "file:///b.csv"})
    load_into(loading.warehouse.uri(), checked(loading, delays(-2), POSITIVE, run_id="by hand", files=(other,)))

    assert [run for run, *_ in kept(loading)] == ["by hand", "first"]


def test_rows_are_kept_with_the_merge_or_not_at_all(loading: Loading) -> None:
    """A merge that fails leaves quarantine and checks as they were."""
    load_into(loading.warehouse.uri(), checked(loading, delays(-1, 2), POSITIVE))
    before = kept(loading)
    loading.warehouse.sql("alter table mart.flights add constraint early check (delay < 10)")

    with pytest.raises(DataError, match="violates check constraint"):
        load_into(loading.warehouse.uri(), checked(loading, delays(-5, -6, 20), POSITIVE))

    assert kept(loading) == before
    assert loading.warehouse.sql("select rows, breaches from etl.checks") == [(2, 1)]


def test_hostile_rows_are_kept_as_they_are(loading: Loading) -> None:
    """Quotes, tabs, backslashes and other scripts come back; NUL, which PostgreSQL has not, is a sign for it."""
    texts = [
        '"; drop table x; --',
        "tab\tnew\nline\\N",
        "\\u0000 \\\\u0000",
        "é 👍🏽",
        "a\0\0b",
        "",
        "\\.",
        "{}",
        "null",
    ]
    rows = flights(FIRST, len(texts)).set_column(3, 'select "x"; drop', pa.array(texts))
    expect = {"on_breach": "quarantine", "rows": [{"that": "id < 0", "name": 'it\'s "negative"'}]}

    load_into(loading.warehouse.uri(), checked(loading, rows, expect))

    found = loading.warehouse.sql('select "row" ->> \'select "x"; drop\' from quarantine.rows order by row_number')
    assert [text for (text,) in found] == [text.replace("\0", "␀") for text in texts]
    assert {rule for _, _, rule, *_ in kept(loading)} == {'it\'s "negative"'}


def test_huge_numbers_and_no_numbers_are_kept_exactly(loading: Loading) -> None:
    """A decimal of 38 digits keeps them all; NaN and infinity, which JSON has not, are words."""
    rows = pa.table(
        {
            "id": [1, 2, 3],
            "amount": pa.array(["12345678901234567890123456789012345.678"] * 3).cast(pa.decimal128(38, 3)),
            "big": pa.array([2**64 - 1] * 3, pa.uint64()),
            "share": [float("nan"), float("-inf"), 1e308],
        }
    )
    expect = {"on_breach": "quarantine", "rows": [{"that": "id < 0"}]}

    load_into(loading.warehouse.uri(), checked(loading, rows, expect))

    found = loading.warehouse.sql("""
        select "row" ->> 'amount', "row" ->> 'big', "row" ->> 'share' from quarantine.rows order by row_number
    """)
    amount, big = "12345678901234567890123456789012345.678", str(2**64 - 1)
    assert [row[:2] for row in found] == [(amount, big)] * 3
    assert [row[2] for row in found[:2]] == ["nan", "-inf"]
    assert float(found[2][2]) == 1e308


def test_report_and_analyst_may_look(loading: Loading) -> None:
    """Who looks into quarantine needs no other role."""
    load_into(loading.warehouse.uri(), checked(loading, delays(-1), POSITIVE))

    for role in ("report", "analyst"):
        rights = (
            "select has_table_privilege(%s, name, 'select') from unnest('{quarantine.rows,etl.checks}'::text[]) name"
        )
        assert loading.warehouse.sql(rights, role) == [(True,), (True,)]


CHANGE = {"table": {"change": [0.5, 2], "runs": 2}}


@pytest.mark.parametrize(
    ("before", "rows", "told"),
    [
        ([], 1000, None),
        ([100], 50, None),
        ([100], 200, None),
        ([100], 49, "49 rows are 0.49 times the 100 that the run before has"),
        ([100], 201, "201 rows are 2.01 times the 100 that the run before has"),
        ([1, 100, 200], 301, "301 rows are 2.01 times the 150 that the mean of the 2 runs before is"),
        ([1, 100, 200], 300, None),
        ([0], 1, "1 rows, and the run before has 0"),
        ([0], 0, None),
    ],
)
def test_the_number_of_rows_is_compared_with_earlier_runs(
    loading: Loading, before: list[int], rows: int, told: str | None
) -> None:
    """Both ends are allowed; only earlier intervals count, and of each its last load."""
    for number, count in enumerate(before, start=1):
        day = date(2024, 2, number)
        load_into(loading.warehouse.uri(), checked(loading, flights(day, 7), CHANGE_NONE, run_id="stale", day=day))
        task = checked(loading, flights(day, count), CHANGE_NONE, run_id=f"{day}", day=day)
        load_into(loading.warehouse.uri(), task)
    task = checked(loading, flights(FIRST, rows), CHANGE)

    if told is None:
        result = load_into(loading.warehouse.uri(), task)
        assert [(check.rule, check.breaches) for check in result.checks] == [("change [0.5, 2]", 0)]
        return
    with pytest.raises(DataError) as error:
        load_into(loading.warehouse.uri(), task)

    assert error.value.where == "expect.flights.table.change"
    assert error.value.problem == f"change [0.5, 2]: {told}"
    assert loading.warehouse.sql("select count(*) from mart.flights where day = '2024-03-01'") == [(0,)]


CHANGE_NONE = {"table": {"rows": [0, None]}}


def test_references_are_looked_up_after_the_merge(loading: Loading) -> None:
    """A value that the other table lacks undoes the merge; missing values refer to nothing; all is told at once."""
    loading.warehouse.sql("create table mart.airlines (carrier text); insert into mart.airlines values ('AA'), ('UA')")
    loading.warehouse.sql("create table mart.days (day date); grant select on mart.airlines, mart.days to load")
    rows = flights(FIRST, 6).append_column("carrier", pa.array(["AA", None, "XX", "XX", "it's", "UA"]))
    references = {"carrier": "airlines.carrier", "day": "mart.days.day"}

    with pytest.raises(DataError) as error:
        load_into(loading.warehouse.uri(), checked(loading, rows, {"table": {"references": references}}))

    assert error.value.problem == (
        "2 problems:\n"
        "  expect.flights.table.references.carrier: carrier references mart.airlines.carrier: 'XX' in 2 rows; "
        "'it's' in 1 rows. Correct the rows, or the rule; 'on_breach: warn' only tells.\n"
        "  expect.flights.table.references.day: day references mart.days.day: '2024-03-01' in 6 rows. "
        "Correct the rows, or the rule; 'on_breach: warn' only tells."
    )
    assert loading.warehouse.sql("select to_regclass('mart.flights')") == [(None,)]
    assert loading.warehouse.staging() == []


def test_references_that_only_warn_are_written_down(loading: Loading) -> None:
    """The rows are loaded, and etl.checks tells how many refer to nothing."""
    loading.warehouse.sql("create table mart.numbers (n bigint); insert into mart.numbers select generate_series(0, 1)")
    loading.warehouse.sql("grant select on mart.numbers to load")
    expect = {"table": {"references": {"delay": "numbers.n"}, "on_breach": "warn"}}

    result = load_into(loading.warehouse.uri(), checked(loading, delays(0, 1, 2, None, 3), expect))

    assert [(check.breaches, check.examples) for check in result.checks] == [(2, ("'2' in 1 rows", "'3' in 1 rows"))]
    assert loading.warehouse.sql("select rule, on_breach, rows, breaches from etl.checks") == [
        ("delay references mart.numbers.n", "warn", 5, 2)
    ]
    assert len(loading.warehouse.rows(TABLE)) == 5


def test_rows_may_refer_to_rows_of_the_same_load(loading: Loading) -> None:
    """What a run loads together may refer to each other."""
    expect = {"table": {"references": {"id": "mart.flights.id"}}}

    result = load_into(loading.warehouse.uri(), checked(loading, flights(FIRST), expect))

    assert [check.breaches for check in result.checks] == [0]


@pytest.mark.parametrize(
    ("references", "told"),
    [
        ({"id": "mart.airlines.carrier"}, "there is no mart.airlines.carrier"),
        ({"Id": "mart.flights.id"}, "there is no column 'Id'"),
    ],
)
def test_a_reference_to_nothing_is_told(loading: Loading, references: dict[str, str], told: str) -> None:
    """A table or a column that is not there is a mistake in the pipeline."""
    with pytest.raises(SpecError, match=told):
        load_into(loading.warehouse.uri(), checked(loading, flights(FIRST), {"table": {"references": references}}))

    assert loading.warehouse.sql("select to_regclass('mart.flights')") == [(None,)]


def test_rows_that_refer_to_nothing_are_set_aside(loading: Loading, case: Case) -> None:
    """Whatever the mode, such rows go whole into quarantine with all their reasons, and the ledger counts them."""
    loading.warehouse.sql("create table mart.airlines (carrier text); insert into mart.airlines values ('AA'), ('UA')")
    loading.warehouse.sql("create table mart.numbers (n bigint); insert into mart.numbers values (1), (2), (3), (4)")
    loading.warehouse.sql("grant select on mart.airlines, mart.numbers to load")
    carriers = pa.array(["XX", "AA", None, "XX", "UA", "it's"])
    rows = delays(-1, 1, 2, 3, 9, 9).append_column("carrier", carriers).append_column("nothing", pa.nulls(6))
    table = {"references": {"carrier": "airlines.carrier", "delay": "numbers.n"}}

    task = checked(loading, rows, {**POSITIVE, "table": {**table, "on_breach": "quarantine"}}, target=case.target)
    result = load_into(loading.warehouse.uri(), task)

    carrier, delay = "carrier references mart.airlines.carrier", "delay references mart.numbers.n"
    assert kept(loading) == [
        ("first", 1, "delay in_range [1, null]", "delay", "-1", []),
        ("first", 4, carrier, "carrier", "XX", []),
        ("first", 5, delay, "delay", "9", []),
        ("first", 6, carrier, "carrier", "it's", [delay]),
    ]
    ((whole,),) = loading.warehouse.sql('select "row" from quarantine.rows where row_number = 4')
    expected = rows.slice(3, 1).to_pylist()[0]
    assert whole == {**expected, "day": "2024-03-01", "fare": float(expected["fare"])}
    assert len(loading.warehouse.rows(TABLE)) == 2
    assert [(line["rows_staged"], line["rows_quarantined"]) for line in loading.warehouse.ledger()] == [(2, 4)]
    assert [(check.rule, check.breaches, check.examples) for check in result.checks[1:]] == [
        (carrier, 2, ("'XX' in 1 rows", "'it's' in 1 rows")),
        (delay, 2, ("'9' in 2 rows",)),
    ]
    assert loading.warehouse.staging() == []


def test_rows_come_back_when_what_they_refer_to_is_there(loading: Loading) -> None:
    """The same run, loaded again after the fix, leaves nothing in quarantine."""
    loading.warehouse.sql("create table mart.numbers (n bigint); grant select on mart.numbers to load")
    expect = {"table": {"references": {"delay": "numbers.n"}, "on_breach": "quarantine"}}
    task = checked(loading, delays(1, 2, 2), expect)
    load_into(loading.warehouse.uri(), task)
    assert (len(kept(loading)), loading.warehouse.rows(TABLE)) == (3, [])

    loading.warehouse.sql("insert into mart.numbers values (1), (2)")
    load_into(loading.warehouse.uri(), task)

    assert (kept(loading), len(loading.warehouse.rows(TABLE))) == ([], 3)


@pytest.mark.parametrize("on_breach", ["quarantine", "fail"])
def test_some_rows_may_refer_to_nothing(loading: Loading, on_breach: str) -> None:
    """More of them than is tolerated undo the load."""
    loading.warehouse.sql("create table mart.numbers (n bigint); insert into mart.numbers values (1)")
    loading.warehouse.sql("grant select on mart.numbers to load")
    expect = {"table": {"references": {"delay": "numbers.n"}, "on_breach": on_breach, "tolerate": 0.5}}

    load_into(loading.warehouse.uri(), checked(loading, delays(1, 2), expect))
    before = (kept(loading), loading.warehouse.rows(TABLE))
    with pytest.raises(DataError, match="more than the 50 % tolerated"):
        load_into(loading.warehouse.uri(), checked(loading, delays(1, 2, 3), expect))

    assert (kept(loading), loading.warehouse.rows(TABLE)) == before
    assert len(before[0]) == (1 if on_breach == "quarantine" else 0)


def test_what_rows_refer_to_is_loaded_first(loading: Loading) -> None:
    """Wherever the datasets stand in the file, rows meet those of the same run, and none that the run removes."""
    numbers = pa.table({"n": pa.array([1, 2], pa.int64())})
    datasets = {
        "flights": (delays(1, 2, 3), UPSERT),
        "numbers": (numbers, {"table": "mart.numbers", "mode": "replace"}),
    }
    expect = {"table": {"references": {"delay": "numbers.n"}, "on_breach": "quarantine"}}
    task = loading.task(datasets, interval=day_of(FIRST), run_id="first")
    task = task.model_copy(update={"expect": {"flights": Expectation.model_validate(expect)}})
    loading.warehouse.sql("set role load; create table mart.numbers (n bigint); insert into mart.numbers values (3)")
    loading.warehouse.sql("reset role")

    result = load_into(loading.warehouse.uri(), task)

    assert [(load.dataset, load.rows_inserted, load.rows_quarantined) for load in result.loads] == [
        ("numbers", 2, 0),
        ("flights", 2, 1),
    ]
    assert [value for _, _, _, _, value, _ in kept(loading)] == ["3"]


@pytest.mark.parametrize(
    ("references", "told"),
    [
        ({"id": "mart.airlines.carrier"}, "there is no mart.airlines.carrier"),
        ({"Id": "mart.numbers.n"}, "there is no column 'Id'"),
    ],
)
def test_a_reference_to_nothing_is_told_before_rows_are_set_aside(
    loading: Loading, references: dict[str, str], told: str
) -> None:
    """As where references fail."""
    loading.warehouse.sql("create table mart.numbers (n bigint); grant select on mart.numbers to load")
    expect = {"table": {"references": references, "on_breach": "quarantine"}}

    with pytest.raises(SpecError, match=told):
        load_into(loading.warehouse.uri(), checked(loading, flights(FIRST), expect))

    assert loading.warehouse.sql("select to_regclass('mart.flights')") == [(None,)]


def test_a_value_that_cannot_be_looked_up_is_told(loading: Loading) -> None:
    """A text where the other table has numbers is a mistake in the rows."""
    loading.warehouse.sql("create table mart.numbers (n bigint); grant select on mart.numbers to load")

    task = checked(loading, flights(FIRST), {"table": {"references": {"tail": "numbers.n"}}})

    with pytest.raises(DataError, match=r"invalid input syntax for type bigint: .N"):
        load_into(loading.warehouse.uri(), task)


def test_the_task_of_a_load_says_all_of_it_in_json(loading: Loading) -> None:
    """What is expected, found and set aside travels to the container as it is."""
    task = checked(loading, delays(-1, 2), {**POSITIVE, "table": {"change": [0.5, None]}})

    assert LoadTask.model_validate_json(task.model_dump_json()) == task
    assert json.loads(task.model_dump_json())["expect"]["flights"]["columns"] == {}
