"""What cannot be checked, and rows that are wrong: the words that a person gets."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, SpecError
from etl_transform.__main__ import transform
from tests.transform.expecting import check, task_of

ROWS = pa.table(
    {
        "id": [1, 2, 2],
        "price": [1.5, float("nan"), None],
        "cost": pa.array([Decimal("1.10"), Decimal("2.20"), Decimal(0)], pa.decimal128(8, 2)),
        "code": ["AB", "a", ""],
        "day": pa.array([0, 1, 2], pa.date32()),
        "at": pa.array([0, 1, 2], pa.timestamp("us")),
        "instant": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
        "clock": pa.array([0, 1, 2], pa.time64("us")),
        "open": [True, False, None],
        "raw": [b"\0", b"", None],
        "tags": [["a"], [], None],
        "Kind": ["x", "y", "z"],
    }
)
HAS = "The dataset has: id, price, cost, code, day, at, instant, clock, open, raw, tags, Kind."
CORRECT = "Correct the rule, or the column in the transform."
MEND = "Correct the rows in the transform, or the rule; 'on_breach: quarantine' sets rows aside, and 'warn' only tells."

RULES: list[tuple[dict[str, Any], str]] = [
    ({"columns": {"cod": {}}}, f"columns.cod: there is no column 'cod'. Did you mean 'code'? {HAS}"),
    ({"columns": {"kind": {}}}, f"columns.kind: there is no column 'kind'. Did you mean 'Kind'? {HAS}"),
    (
        {"columns": {"code": {"in_range": [1, 2]}}},
        f"columns.code.in_range: 1 is none of the values of VARCHAR. {CORRECT}",
    ),
    (
        {"columns": {"id": {"in_range": ["1", "2"]}}},
        f"columns.id.in_range: '1' is none of the values of BIGINT. {CORRECT}",
    ),
    (
        {"columns": {"id": {"one_of": [True]}}},
        f"columns.id.one_of: True is none of the values of BIGINT. {CORRECT}",
    ),
    (
        {"columns": {"open": {"in_range": [0, 1]}}},
        f"columns.open.in_range: in_range has no meaning for BOOLEAN. {CORRECT}",
    ),
    (
        {"columns": {"tags": {"in_range": [0, 1]}}},
        f"columns.tags.in_range: in_range has no meaning for VARCHAR[]. {CORRECT}",
    ),
    ({"columns": {"raw": {"one_of": ["a"]}}}, f"columns.raw.one_of: one_of has no meaning for BLOB. {CORRECT}"),
    ({"columns": {"id": {"matches": "1"}}}, f"columns.id.matches: matches has no meaning for BIGINT. {CORRECT}"),
    ({"columns": {"price": {"length": [1, 2]}}}, f"columns.price.length: length has no meaning for DOUBLE. {CORRECT}"),
    (
        {"columns": {"code": {"matches": "(a"}}},
        f"columns.code.matches: Invalid Input Error: missing ): (a. {CORRECT}",
    ),
    (
        {"columns": {"code": {"matches": "(?<=a)b"}}},
        f"columns.code.matches: Invalid Input Error: invalid perl operator: (?<. {CORRECT}",
    ),
    (
        {"columns": {"day": {"in_range": ["2026-02-30", None]}}},
        f"columns.day.in_range: '2026-02-30' is no date; write it as ISO 8601 does. {CORRECT}",
    ),
    (
        {"columns": {"day": {"in_range": ["2026-01-01T12:00", None]}}},
        f"columns.day.in_range: '2026-01-01T12:00' is no date; write it as ISO 8601 does. {CORRECT}",
    ),
    (
        {"columns": {"day": {"in_range": [2026, None]}}},
        f"columns.day.in_range: 2026 is none of the values of DATE. {CORRECT}",
    ),
    (
        {"columns": {"at": {"in_range": ["2026-01-01T00:00Z", None]}}},
        f"columns.at.in_range: '2026-01-01T00:00Z' has a time zone, and TIMESTAMP has none. {CORRECT}",
    ),
    (
        {"columns": {"instant": {"in_range": ["yesterday", None]}}},
        f"columns.instant.in_range: 'yesterday' is no timestamptz; write it as ISO 8601 does. {CORRECT}",
    ),
    (
        {"columns": {"clock": {"in_range": ["25:00", None]}}},
        f"columns.clock.in_range: '25:00' is no time; write it as ISO 8601 does. {CORRECT}",
    ),
    ({"rows": [{"that": "id + 1"}]}, "rows.1: 'id + 1' gives BIGINT, not true or false. Compare it with something."),
    (
        {"table": {"fresh": {"column": "dag", "within": "1 day"}}},
        f"table.fresh.column: there is no column 'dag'. {HAS}",
    ),
    (
        {"table": {"fresh": {"column": "clock", "within": "1 day"}}},
        "table.fresh.column: 'clock' is TIME, which has no time. Name a column of dates or times.",
    ),
]


@pytest.mark.parametrize(("expectation", "told"), RULES)
def test_a_rule_that_cannot_be_checked_is_told(tmp_path: Path, expectation: dict[str, Any], told: str) -> None:
    """A person learns which rule, why, and what to do; the rows were not looked at."""
    with pytest.raises(SpecError) as error:
        check(tmp_path, ROWS, **expectation)

    assert str(error.value) == f"expect.orders.{told}"


@pytest.mark.parametrize(
    ("that", "told"),
    [
        ("id >", 'Parser Error: syntax error at or near ")"'),
        ("idd > 1", 'Binder Error: Referenced column "idd" not found'),
        ("id > 1; drop table orders", "Parser Error: syntax error at or near"),
        ("code > 1 and nosuch(code)", "Catalog Error: Scalar Function with name nosuch does not exist!"),
        ("count(*) > 1", "Binder Error: WHERE clause cannot contain aggregates!"),
        ("row_number() over () > 1", "Binder Error: WHERE clause cannot contain window functions!"),
        ("id in (select id from nosuch)", "Catalog Error: Table with name nosuch does not exist!"),
        ("id in (select 1 from read_csv('/etc/passwd'))", "Permission Error: Cannot access file"),
        ("id in (select 1 from 'https://example.org/x.parquet')", ""),
    ],
)
def test_a_condition_that_is_none_is_told(tmp_path: Path, that: str, told: str) -> None:
    """The database's own words, on one line, at the rule; no condition reads what is not the run's."""
    with pytest.raises(SpecError) as error:
        check(tmp_path, ROWS, rows=[{"that": "id > 0"}, {"that": that}])

    assert error.value.where == "expect.orders.rows.2"
    assert error.value.problem.startswith(told)
    assert "\n" not in error.value.problem
    assert error.value.hint == HAS


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        (
            {"columns": {"id": {"unique": True}}},
            "columns.id: id unique: breached by 2 of 3 rows (66.7 %): row 2: 2; row 3: 2",
        ),
        ({"columns": {"price": {}}}, "columns.price: price not null: breached by 1 of 3 rows (33.3 %): row 3: null"),
        (
            {"columns": {"price": {"nullable": True, "in_range": [0, 2]}}},
            "columns.price: price in_range [0, 2]: breached by 1 of 3 rows (33.3 %): row 2: nan",
        ),
        (
            {"columns": {"code": {"matches": "[A-Z]{2}", "tolerate": 1}}},
            (
                "columns.code: code matches [A-Z]{2}: breached by 2 of 3 rows (66.7 %), more than the 1 tolerated: "
                "row 2: a; row 3: "
            ),
        ),
        (
            {"columns": {"code": {"one_of": ["AB"], "tolerate": 0.1, "on_breach": "quarantine"}}},
            (
                'columns.code: code one_of ["AB"]: breached by 2 of 3 rows (66.7 %), more than the 10 % tolerated: '
                "row 2: a; row 3: "
            ),
        ),
        (
            {"columns": {"raw": {"nullable": True, "length": [1, None]}}},
            "columns.raw: raw length [1, null]: breached by 1 of 3 rows (33.3 %): row 2: ",
        ),
        (
            {"columns": {"cost": {"in_range": [None, 2.2], "type": "integer"}}},
            "columns.cost: cost type integer: breached by 3 of 3 rows (100 %): row 1: 1.10; row 2: 2.20; row 3: 0.00",
        ),
        (
            {"columns": {"code": {"type": "date", "on_breach": "quarantine"}}},
            "columns.code: code type date: breached by 3 of 3 rows (100 %): row 1: AB; row 2: a; row 3: ",
        ),
        (
            {"rows": [{"that": "id < 2 or open is null", "name": "second"}]},
            "rows.1: second: breached by 1 of 3 rows (33.3 %): row 2: id=2, open=false",
        ),
        ({"table": {"rows": [4, None]}}, "table: rows [4, null]: there are 3"),
        ({"table": {"rows": [None, 2]}}, "table: rows [null, 2]: there are 3"),
        (
            {"table": {"fresh": {"column": "instant", "within": "2 weeks"}}},
            (
                "table: instant fresh within 2 weeks: the newest is 1970-01-01 00:00:00.000002+00, and the interval "
                "ends at 2026-02-01 00:00:00-05:00"
            ),
        ),
    ],
)
def test_wrong_rows_are_told(tmp_path: Path, expectation: dict[str, Any], told: str) -> None:
    """A person learns which rule, how many rows of how many, and which."""
    with pytest.raises(DataError) as error:
        check(tmp_path, ROWS, **expectation)

    assert str(error.value) == f"expect.orders.{told}. {MEND}"


def test_a_condition_that_fails_on_a_row_is_told(tmp_path: Path) -> None:
    """A cast that a value does not take is the rows' fault, and says the value."""
    with pytest.raises(DataError) as error:
        check(tmp_path, ROWS, rows=[{"that": "code::int > 0"}])

    assert error.value.problem.startswith("Conversion Error: Could not convert string 'AB' to INT32")
    assert error.value.hint == "Let the condition be one that every row can be asked, such as with try_cast."


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            pa.table({"x": pa.array([Decimal(1)], pa.decimal256(50, 2))}),
            (
                "dataset orders: orders.x has up to 50 digits, and DuckDB's decimals at most 38. "
                "Cast it to fewer, or to text, where it is made."
            ),
        ),
        (
            pa.table({"File_Row_Number": [1]}),
            (
                "expect.orders: 'File_Row_Number' is a name that the checks need for themselves. "
                "Rename the column in the transform."
            ),
        ),
    ],
)
def test_columns_that_cannot_be_read_are_told(tmp_path: Path, rows: pa.Table, told: str) -> None:
    """What the checks cannot take is refused in words."""
    with pytest.raises(SpecError) as error:
        check(tmp_path, rows, table={"rows": [1, None]})

    assert str(error.value) == told


def test_all_that_cannot_be_checked_is_told_at_once(tmp_path: Path) -> None:
    """Problems of several datasets, columns and rows stand in one message."""
    expect = {
        "orders": {"columns": {"x": {}, "code": {"in_range": [1, None]}}, "rows": [{"that": "1"}]},
        "items": {"table": {"fresh": {"column": "x", "within": "1 hour"}}},
    }

    with pytest.raises(SpecError) as error:
        transform(task_of(tmp_path, {"orders": ROWS, "items": pa.table({"n": [1]})}, expect))

    assert [line.partition(": ")[0].strip() for line in error.value.problem.splitlines()] == [
        "4 problems:",
        "expect.orders.columns.x",
        "expect.orders.columns.code.in_range",
        "expect.orders.rows.1",
        "expect.items.table.fresh.column",
    ]
