"""What datasets are expected to be: each rule, what its breach does, and the rows that it is about."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, OnBreach, SpecError
from etl_transform.__main__ import transform
from tests.transform.expecting import check, rows_of, set_aside, task_of

NAN, INF = float("nan"), float("inf")
BIG = 9_007_199_254_740_993  # the first integer that a float cannot hold


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
    """Make rows of one column, `x`."""
    return pa.table({"x": pa.array(values, kind)})


def instants(*texts: str | None) -> pa.Table:
    """Make rows with times that have a zone."""
    return column([text and datetime.fromisoformat(text) for text in texts], pa.timestamp("us", "America/New_York"))


RULES: list[tuple[pa.Table, dict[str, Any], list[int]]] = [
    # rows, the column's rules, the numbers of the rows that breach
    (column([1, None, 3]), {}, [2]),
    (column([1, None, 3]), {"nullable": True}, []),
    (column([NAN, None, INF]), {}, [2]),
    (pa.table({"x": pa.nulls(2)}), {}, [1, 2]),
    (pa.table({"x": pa.nulls(2)}), {"nullable": True, "in_range": [1, 2], "unique": True, "type": "text"}, []),
    (column([1, 2, 2, 3, 3, 3]), {"unique": True}, [2, 3, 4, 5, 6]),
    (column([None, None, 1]), {"unique": True, "nullable": True}, []),
    (column(["a", "A", "a ", "é", "é"]), {"unique": True}, [4, 5]),
    (column([NAN, NAN, 1.0]), {"unique": True}, [1, 2]),
    (column([[1, 2], [2, 1], [1, 2]]), {"unique": True}, [1, 3]),
    (column([1, 5, 10, 11, 0]), {"in_range": [1, 10]}, [4, 5]),
    (column([1, 5]), {"in_range": [None, 1]}, [2]),
    (column([1, 5]), {"in_range": [5, None]}, [1]),
    (column([1, 2, 3]), {"in_range": [1.5, 2.5]}, [1, 3]),
    (column([BIG - 1, BIG]), {"in_range": [BIG, None]}, [1]),
    (column([1, -1], pa.int8()), {"in_range": [-1000, 1000]}, []),
    (column([1, -1], pa.int8()), {"in_range": [1000, None]}, [1, 2]),
    (column([1, -1], pa.int8()), {"in_range": [None, -1000]}, [1, 2]),
    (column([2**64 - 1, 0], pa.uint64()), {"in_range": [None, 2**64 - 2]}, [1]),
    (column([NAN, INF, -INF, 1.0]), {"in_range": [None, 1e308]}, [1, 2]),
    (column([NAN, 0.1, 0.2], pa.float32()), {"in_range": [0.1, 0.1]}, [1, 3]),
    (column([0.1, 0.3, 0.1 + 0.2]), {"in_range": [0, 0.3]}, [3]),
    (column([Decimal("0.10"), Decimal("0.11")]), {"in_range": [0, 0.1]}, [2]),
    (column([Decimal("0.10"), Decimal("0.11")]), {"in_range": [0.105, None]}, [1]),
    (column([Decimal(9) * 10**36, Decimal(1)], pa.decimal128(38, 0)), {"in_range": [None, 10**36]}, [1]),
    (column([Decimal(9) * 10**36, Decimal(1)], pa.decimal128(38, 0)), {"in_range": [0.5, 10**60]}, []),
    (column(["a", "b", "é", "B"]), {"in_range": ["a", "z"]}, [3, 4]),
    (column([date(2026, 1, 1), date(2026, 1, 2)]), {"in_range": [date(2026, 1, 2), None]}, [1]),
    (column([date(1, 1, 1), date(9999, 12, 31)]), {"in_range": ["2000-01-01", "2100-01-01"]}, [1, 2]),
    (column([datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 13)]), {"in_range": [None, "2026-01-01T12:30"]}, [2]),  # noqa: DTZ001 - a local time
    (column([10**9, 2 * 10**9], pa.timestamp("ns")), {"in_range": ["1970-01-01T00:00:02", None]}, [1]),
    # 1 November 2026 has 01:30 twice in New York; a time without a zone is the first of them there
    (instants("2026-11-01T05:30+00:00", "2026-11-01T06:30+00:00"), {"in_range": [None, "2026-11-01T01:30"]}, [2]),
    (instants("2026-01-01T04:59+00:00", "2026-01-01T05:00+00:00"), {"in_range": ["2026-01-01", None]}, [1]),
    (instants("2026-01-01T04:59Z", "2026-01-01T05:00Z"), {"in_range": [None, "2026-01-01T05:59+01:00"]}, [2]),
    (column([time(9), time(18, 0, 1)]), {"in_range": ["08:00", "18:00"]}, [2]),
    (column(["a", "b", "c", ""]), {"one_of": ["a", "b"]}, [3, 4]),
    (column(["it's", '"', "\\"]), {"one_of": ["it's", '"']}, [3]),
    (column([1, 2, 3]), {"one_of": [1, 2.5, 10**40]}, [2, 3]),
    (column([1.0, 2.5, NAN]), {"one_of": [1, 2.5]}, [3]),
    (column([Decimal("1.50"), Decimal("1.51")]), {"one_of": [1.5, 1.515]}, [2]),
    (column([True, False, None]), {"one_of": [True], "nullable": True}, [2]),
    (column([date(2026, 1, 1), date(2026, 1, 2)]), {"one_of": ["2026-01-02"]}, [1]),
    (column(["AB", "ABC", "ab", "AB\n", ""]), {"matches": "[A-Z]{2}"}, [2, 3, 4, 5]),
    (column(["é", "ab"]), {"matches": "."}, [2]),
    (column(["a|b", "a"]), {"matches": "a|b"}, [1]),
    (column(["", "a", "ab", "éé", "👍🏽"]), {"length": [1, 2]}, [1]),
    (column(["", "abc"]), {"length": [None, 2]}, [2]),
    (column([b"\x00\xff", b""], pa.binary()), {"length": [1, None]}, [2]),
    (column([[1], [], [1, 2, 3]]), {"length": [1, 2]}, [2, 3]),
    (column([{"a": 1}, None]), {"type": "struct"}, [2]),
    (column(["a", "b"]).set_column(0, "x", pa.array(["a", "b"]).dictionary_encode()), {"one_of": ["a"]}, [2]),
    (column([timedelta(1), None], pa.duration("s")), {"type": "interval"}, [2]),
    (column([1, 2, 3], pa.int64()).slice(0, 0), {"unique": True, "in_range": [5, 6], "type": "integer"}, []),
]


@pytest.mark.parametrize(("rows", "rules", "breaching"), RULES)
def test_a_rule_of_a_column_finds_its_rows(
    tmp_path: Path, rows: pa.Table, rules: dict[str, Any], breaching: list[int]
) -> None:
    """Missing values, NaN, huge values, zones and other scripts count as the docs say; the others stay as they were."""
    result = check(tmp_path, rows, columns={"x": rules}, on_breach="quarantine")

    assert list(set_aside(result)) == breaching
    left = rows_of(result.datasets[0])
    assert left.schema == rows.schema
    stay = [number not in breaching for number in range(1, len(rows) + 1)]
    assert str(left["x"].to_pylist()) == str(rows.filter(pa.array(stay, pa.bool_()))["x"].to_pylist())
    assert sum(dataset.rows for dataset in (*result.datasets, *result.quarantined)) == len(rows)


TYPES = {
    "boolean": column([True]),
    "integer": column([1], pa.uint16()),
    "decimal": column([Decimal(1)]),
    "float": column([1.0], pa.float32()),
    "text": column(["a"], pa.large_string()),
    "binary": column([b"a"]),
    "date": column([date(2026, 1, 1)]),
    "time": column([time(1)]),
    "timestamp": column([1], pa.timestamp("ns")),
    "timestamptz": column([1], pa.timestamp("ms", "UTC")),
    "interval": column([1], pa.duration("ns")),
    "list": column([[1]]),
    "struct": column([{"a": 1}]),
}


@pytest.mark.parametrize("wanted", [*TYPES, "number"])
@pytest.mark.parametrize("there", TYPES)
def test_a_type_is_a_family(tmp_path: Path, wanted: str, there: str) -> None:
    """Each family holds for its own types, whatever their width, and `number` for three of them."""
    holds = wanted == there or (wanted == "number" and there in {"integer", "decimal", "float"})

    result = check(tmp_path, TYPES[there], columns={"x": {"type": wanted, "on_breach": "warn"}})

    assert [check.breaches for check in result.checks if "type" in check.rule] == [0 if holds else 1]


ROW_RULES = [
    ("a < b", [2]),
    ("a < b or a is null", [2]),
    ("coalesce(a < b, false)", [2, 3]),
    ("a < b -- the rest is a comment", [2]),
    ('not ("it\'s ""so"" named" = \'x\')', [1]),
    ("a in (select n from others)", [2]),
    ('b between 0 and 10 and try_cast("it\'s ""so"" named" as int) is null', []),
]


@pytest.mark.parametrize(("that", "breaching"), ROW_RULES)
def test_a_rule_of_rows_finds_those_where_it_is_false(tmp_path: Path, that: str, breaching: list[int]) -> None:
    """Unknown is not false; other datasets may be asked; names in double quotes are only names."""
    rows = pa.table({"a": [1, 5, None], "b": [2, 4, 6], 'it\'s "so" named': ["x", "y", "z"]})
    task = task_of(
        tmp_path,
        {"orders": rows, "others": pa.table({"n": [1, 2]})},
        {"orders": {"rows": [{"that": that, "on_breach": "quarantine"}]}},
    )

    result = transform(task)

    assert list(set_aside(result)) == breaching
    assert {dataset.name: dataset.rows for dataset in result.datasets} == {"orders": 3 - len(breaching), "others": 2}


@pytest.mark.parametrize(
    ("on_breach", "tolerate", "outcome"),
    [
        ("fail", None, "fails"),
        ("fail", 0, "fails"),
        ("fail", 1, "fails"),
        ("fail", 2, "all stay"),
        ("fail", 0.19, "fails"),
        ("fail", 0.2, "all stay"),
        ("quarantine", None, "set aside"),
        ("quarantine", 0, "fails"),
        ("quarantine", 1, "fails"),
        ("quarantine", 2, "set aside"),
        ("quarantine", 0.19, "fails"),
        ("quarantine", 0.2, "set aside"),
        ("quarantine", 1.0, "set aside"),
        ("warn", None, "all stay"),
        ("warn", 0, "all stay"),
        ("warn", 0.2, "all stay"),
    ],
)
@pytest.mark.parametrize("level", ["dataset", "rule"])
def test_a_breach_does_what_was_said(
    tmp_path: Path, on_breach: str, tolerate: float | None, outcome: str, level: str
) -> None:
    """2 of 10 rows breach: a count and a share are compared exactly, and a rule's own word wins over the dataset's."""
    said: dict[str, Any] = {"on_breach": on_breach} | ({} if tolerate is None else {"tolerate": tolerate})
    rule = {"in_range": [None, 8]}
    expect = {"columns": {"x": rule}} | said if level == "dataset" else {"columns": {"x": rule | said}}
    rows = column(list(range(1, 11)))

    if outcome == "fails":
        with pytest.raises(DataError, match=r"x in_range \[null, 8\]: breached by 2 of 10 rows \(20 %\)"):
            check(tmp_path, rows, **expect)
        return
    result = check(tmp_path, rows, **expect)

    assert result.datasets[0].rows == (8 if outcome == "set aside" else 10)
    assert list(set_aside(result)) == ([9, 10] if outcome == "set aside" else [])
    found = {check.rule: (check.on_breach, check.rows, check.breaches, check.examples) for check in result.checks}
    assert found == {
        "x not null": (OnBreach(on_breach), 10, 0, ()),
        "x in_range [null, 8]": (OnBreach(on_breach), 10, 2, ("row 9: 9", "row 10: 10")),
    }


def test_a_share_is_the_one_that_stands_in_the_file(tmp_path: Path) -> None:
    """29 of 100 rows are 0.29 of them, though 0.29 * 100 is less in binary."""
    result = check(tmp_path, column([0] * 29 + [1] * 71), columns={"x": {"in_range": [1, 1], "tolerate": 0.29}})

    assert result.datasets[0].rows == 100


def test_all_that_fails_is_told_at_once_with_counts_shares_and_rows(tmp_path: Path) -> None:
    """A person sees every rule of every dataset that failed, and up to five rows of each."""
    rows = {
        "orders": pa.table({"id": [1, 1, *range(2, 9)], "price": [-1.0, None, NAN, *[-2.5] * 6]}),
        "items": pa.table({"a": [3], "b": [2], "note": ["x" * 200]}),
    }
    expect = {
        "orders": {
            "columns": {"id": {"unique": True}, "price": {"in_range": [0, None]}},
            "table": {"rows": [100, None]},
        },
        "items": {"rows": [{"that": "a < b"}, {"that": "length(note) < 100", "name": "short notes"}]},
    }

    with pytest.raises(DataError) as error:
        transform(task_of(tmp_path, rows, expect))

    assert error.value.problem == (
        "6 rules are breached:\n"
        "  expect.orders.columns.id: id unique: breached by 2 of 9 rows (22.2 %): row 1: 1; row 2: 1\n"
        "  expect.orders.columns.price: price not null: breached by 1 of 9 rows (11.1 %): row 2: null\n"
        "  expect.orders.columns.price: price in_range [0, null]: breached by 8 of 9 rows (88.9 %): "
        "row 1: -1.0; row 3: nan; row 4: -2.5; row 5: -2.5; row 6: -2.5\n"
        "  expect.orders.table: rows [100, null]: there are 9\n"
        "  expect.items.rows.1: a < b: breached by 1 of 1 rows (100 %): row 1: a=3, b=2\n"
        f"  expect.items.rows.2: short notes: breached by 1 of 1 rows (100 %): row 1: note={'x' * 75}..."
    )
    assert not (tmp_path / "quarantine").exists()


def test_a_row_is_set_aside_once_with_all_its_reasons(tmp_path: Path) -> None:
    """The first rule of the file is the reason, the others stand beside it; the row is whole."""
    rows = pa.table({"id": [1, 2], "price": [5, -5], "paid": [1, 9]})
    expect = {"columns": {"price": {"in_range": [0, None]}}, "rows": [{"that": "paid <= price"}]}

    result = check(tmp_path, rows, **expect, on_breach="quarantine")

    assert rows_of(result.quarantined[0]).to_pylist() == [
        {
            "row_number": 2,
            "rule": "price in_range [0, null]",
            "column_name": "price",
            "value": "-5",
            "also": ["paid <= price"],
            "row": '{"id":2,"price":-5,"paid":9}',
        }
    ]
    assert result.quarantined[0].rows == 1
    assert rows_of(result.datasets[0]).to_pylist() == [{"id": 1, "price": 5, "paid": 1}]


def test_a_row_rule_says_what_its_columns_have(tmp_path: Path) -> None:
    """The value that is kept with a row names the columns of the condition."""
    rows = pa.table({"a": [1], "aa": [2], "b": pa.array([None], pa.int64())})

    result = check(tmp_path, rows, rows=[{"that": "a > 1 and b is not null"}], on_breach="quarantine")

    assert rows_of(result.quarantined[0]).column("value").to_pylist() == ["a=1, b=null"]


def test_rules_over_the_table_ask_the_rows_that_are_left(tmp_path: Path) -> None:
    """When a check sets nearly everything aside, what is left is too little to load."""
    expect = {"columns": {"x": {"in_range": [None, 1]}}, "on_breach": "quarantine", "table": {"rows": [2, 5]}}

    with pytest.raises(DataError, match=r"rows \[2, 5\]: there are 1\."):
        check(tmp_path, column([1, 2, 3]), **expect)


@pytest.mark.parametrize(
    ("newest", "within", "holds"),
    [
        # the interval is 31 January 2026 in New York, until 05:00 UTC of 1 February
        (instants("2026-01-31T05:00+00:00"), "1 day", True),
        (instants("2026-01-31T04:59:59+00:00"), "1 day", False),
        (instants("2026-01-31T04:59:59+00:00", None), "25 hours", True),
        (instants("2030-01-01T00:00+00:00"), "1 minute", True),
        (instants(None), "52 weeks", False),
        (instants().slice(0, 0), "52 weeks", False),
        (column([date(2026, 1, 31)]), "1 day", True),
        (column([date(2026, 1, 30)]), "1 day", False),
        (column([date(9999, 12, 31), date(1, 1, 1)]), "1 day", True),
        (column([datetime(2026, 1, 31)]), "1440 minutes", True),  # noqa: DTZ001 - a local time
        (column([datetime(2026, 1, 30, 23, 59)]), "1440 minutes", False),  # noqa: DTZ001 - as above
    ],
)
def test_the_newest_row_is_not_older_than_was_said(tmp_path: Path, newest: pa.Table, within: str, holds: bool) -> None:  # noqa: FBT001
    """Age is counted to the end of the run's interval; what has no zone is on the pipeline's clock."""
    table = {"fresh": {"column": "x", "within": within}, "on_breach": "warn"}

    result = check(tmp_path, newest, table=table)

    assert [(check.rule, check.breaches) for check in result.checks] == [(f"x fresh within {within}", int(not holds))]


def test_hostile_names_of_columns_are_only_names(tmp_path: Path) -> None:
    """Quotes, keywords, SQL, dots, and names that differ by case alone are columns like any other."""
    names = [
        'select "x"; drop',
        "100%",
        "%(id)s",
        "ünï:cöde",
        "a.b",
        ":start",
        "Id",
        "id",
        "ID",
        "id_1",
        "?",
        "{}",
        "b0",
    ]
    names += ["v0", "whole", "number", "x" * 300, " ", "'", "\\", "rule", "row", "true", "\n"]
    rows = pa.table([pa.array([number, -number]) for number in range(1, len(names) + 1)], names=names)
    columns = {name: {"in_range": [1, None]} for name in names if len(name) <= 63}

    result = check(tmp_path, rows, columns=columns, on_breach="quarantine")

    assert list(set_aside(result)) == [2]
    assert [check.breaches for check in result.checks] == [0, 1] * len(columns)
    assert rows_of(result.datasets[0]).to_pydict() == {name: [number] for number, name in enumerate(names, start=1)}
    (kept,) = rows_of(result.quarantined[0]).column("row").to_pylist()
    assert json.loads(kept) == {name: -number for number, name in enumerate(names, start=1)}


def test_every_type_of_value_stays_as_it_is_where_rows_leave(tmp_path: Path) -> None:
    """The rows that are left are the same, to the type and the time zone."""
    rows = pa.table(
        {
            "x": [1, 2, 3],
            "tz": pa.array([1, 2, 3], pa.timestamp("us", "America/New_York")),
            "ns": pa.array([1, 2, 3], pa.timestamp("ns")),
            "duration": pa.array([1, 2, 3], pa.duration("ms")),
            "category": pa.array(["a", "b", "a"]).dictionary_encode(),
            "list": pa.array([[1], None, []], pa.list_(pa.int16())),
            "struct": pa.array([{"a": Decimal("1.10")}, None, {"a": None}]),
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
            "decimal": pa.array([Decimal(10) ** 37, None, Decimal(-1)], pa.decimal128(38, 0)),
            "binary": pa.array([b"\0\xff", None, b""]),
            "null": pa.nulls(3),
            "half": pa.array([1, 2, 3], pa.float16()),
            "time": pa.array([time(1), None, time(23, 59, 59, 999999)]),
        }
    )

    result = check(tmp_path, rows, columns={"x": {"one_of": [1, 3]}}, on_breach="quarantine")

    left = rows_of(result.datasets[0])
    assert left.schema == rows.schema
    assert left.to_pydict() == rows.take([0, 2]).to_pydict()


def test_rows_leave_by_their_number_across_batches(tmp_path: Path) -> None:
    """In a file of many row groups, the rows that leave are those that breach, and no other."""
    rows = column(list(range(25_000)))

    result = check(tmp_path, rows, rows=[{"that": "x % 1000 not in (0, 999) and x < 20000"}], on_breach="quarantine")

    breaching = [value for value in range(25_000) if value % 1000 in (0, 999) or value >= 20_000]
    assert list(set_aside(result)) == [value + 1 for value in breaching]
    assert rows_of(result.datasets[0])["x"].to_pylist() == sorted(set(range(25_000)) - set(breaching))


def test_nothing_is_written_where_nothing_breaches(tmp_path: Path) -> None:
    """A dataset that is as expected is handed on as the file that it is."""
    task = task_of(tmp_path, {"orders": column([1])}, {"orders": {"columns": {"x": {}}, "on_breach": "quarantine"}})

    result = transform(task)

    assert result.datasets == task.inputs
    assert result.quarantined == ()


def test_what_is_not_expected_costs_no_duckdb(tmp_path: Path) -> None:
    """A pandas transform of which nothing is expected starts without DuckDB, and checks start without pandas."""
    pandas = task_of(
        tmp_path,
        {"orders": column([1])},
        {},
        spec={"pandas": "orders.py:clean"},
        files={"orders.py": "def clean(orders):\n    return {'orders': orders}\n"},
    )
    checks = task_of(tmp_path, {"orders": column([1])}, {"orders": {"columns": {"x": {}}}})
    program = (
        "import sys; from etl_contract import TransformTask; from etl_transform.__main__ import transform;"
        "transform(TransformTask.model_validate_json(sys.argv[1])); print([*{'duckdb', 'pandas'} & set(sys.modules)])"
    )

    imported = [
        subprocess.run(
            [sys.executable, "-c", program, task.model_dump_json()], capture_output=True, text=True, check=True
        ).stdout
        for task in (pandas, checks)
    ]

    assert [output.splitlines()[-1] for output in imported] == ["['pandas']", "['duckdb']"]


def test_checks_follow_the_transform(tmp_path: Path) -> None:
    """What the author's function returns is what is checked."""
    task = task_of(
        tmp_path,
        {"orders": column([1, 2])},
        {"doubled": {"columns": {"y": {"in_range": [None, 2]}}, "on_breach": "quarantine"}},
        spec={"pandas": "orders.py:clean"},
        files={"orders.py": "def clean(orders):\n    return {'doubled': (orders * 2).rename(columns={'x': 'y'})}\n"},
    )

    result = transform(task)

    assert rows_of(result.datasets[0]).to_pydict() == {"y": [2]}
    assert (result.rows_in, result.rows_out) == (2, 1)
    assert list(set_aside(result)) == [2]


def test_an_interval_can_be_read_in_any_zone(tmp_path: Path) -> None:
    """A bound without a zone lies on the pipeline's clock also in summer."""
    rows = column([datetime(2026, 7, 1, 3, 59, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)])

    result = check(tmp_path, rows, columns={"x": {"in_range": ["2026-07-01", None]}}, on_breach="quarantine")

    assert list(set_aside(result)) == [1]


@pytest.mark.parametrize("level", ["columns", "rows", "table"])
def test_a_dataset_that_is_not_there_is_told(tmp_path: Path, level: str) -> None:
    """A misspelt dataset is a mistake in the pipeline."""
    rules = {"columns": {"x": {}}, "rows": [{"that": "x > 0"}], "table": {"rows": [1, 2]}}

    with pytest.raises(SpecError) as error:
        transform(task_of(tmp_path, {"orders": column([1])}, {"order": {level: rules[level]}}))

    assert str(error.value) == "expect.order: there is no dataset 'order'. Did you mean 'orders'? There are: orders."
