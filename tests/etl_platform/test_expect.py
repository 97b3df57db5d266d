"""The section `expect` of pipeline files: what it means, and the problems its authors are told."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from etl_contract import OnBreach, StageName
from etl_platform import Broken, Pipeline, read_pipeline

FILE = """\
extract:
  orders: {sql: source, table: orders}
load:
  orders: {table: orders, mode: upsert, key: [id]}
expect:
"""


def read(folder: Path, expect: str) -> Pipeline | Broken:
    """Read a pipeline with these expectations; they begin in line 6."""
    file = folder / "orders.yaml"
    file.write_text(FILE + indent(dedent(expect), "  "))
    return read_pipeline(file)


def test_a_pipeline_that_expects_something_has_the_stage_that_checks(tmp_path: Path) -> None:
    """Without a transform, the rows go through that stage as they are."""
    pipeline = read(tmp_path, "orders: {columns: {id: {}}}")

    assert isinstance(pipeline, Pipeline)
    assert pipeline.stages == (StageName.extract, StageName.transform, StageName.load)


def test_a_rules_own_word_wins(tmp_path: Path) -> None:
    """What is not said at a rule holds as the dataset says it; a table rule never sets rows aside."""
    pipeline = read(
        tmp_path,
        """\
        orders:
          on_breach: quarantine
          tolerate: 0.1
          columns:
            id: {on_breach: fail, tolerate: 0}
            price: {in_range: [0, null]}
          table: {rows: [1, null]}
        """,
    )

    assert isinstance(pipeline, Pipeline)
    assert pipeline.expect
    expectation = pipeline.expect["orders"]
    rules = expectation.columns
    assert (expectation.breach_of(rules["id"]), expectation.tolerance_of(rules["id"])) == (OnBreach.fail, 0)
    assert (expectation.breach_of(rules["price"]), expectation.tolerance_of(rules["price"])) == (
        OnBreach.quarantine,
        0.1,
    )
    assert expectation.breach_of_table() is OnBreach.fail
    assert not rules["id"].nullable


PROBLEMS = [
    ("order: {columns: {id: {}}}", "line 5, expect: 'order' is no source; did you mean 'orders'?"),
    ("orders: {}", "line 6, expect.orders: expects nothing; give columns, rows or table"),
    ("orders: {colums: {id: {}}}", "line 6, expect.orders.colums: no such field; did you mean 'columns'?"),
    (
        "orders: {columns: {id: {uniqe: true}}}",
        "line 6, expect.orders.columns.id.uniqe: no such field; did you mean 'unique'?",
    ),
    (
        "orders: {columns: {id: {type: int}}}",
        (
            "line 6, expect.orders.columns.id.type: 'int' is none of 'boolean', 'integer', 'decimal', 'float', "
            "'number', 'text', 'binary', 'date', 'time', 'timestamp', 'timestamptz', 'interval', 'list' or 'struct'; "
            "did you mean 'integer'?"
        ),
    ),
    (
        "orders:\n  columns:\n    id: {in_range: [5, 1]}",
        "line 8, expect.orders.columns.id.in_range: 5 is above 1; write the lower end first",
    ),
    (
        "orders: {columns: {id: {in_range: [null, null]}}}",
        "line 6, expect.orders.columns.id.in_range: both ends are open; give one",
    ),
    (
        "orders: {columns: {id: {in_range: [1, b]}}}",
        "line 6, expect.orders.columns.id.in_range: 1 and 'b' are of two kinds",
    ),
    (
        "orders: {columns: {id: {in_range: [.nan, 1]}}}",
        "line 6, expect.orders.columns.id.in_range.1: nan is no bound; write null for an open end",
    ),
    (
        "orders: {columns: {id: {in_range: [true, 1]}}}",
        "line 6, expect.orders.columns.id.in_range.1: true is no bound; write null for an open end",
    ),
    (
        "orders: {columns: {id: {on_breach: drop}}}",
        "line 6, expect.orders.columns.id.on_breach: 'drop' is none of 'fail', 'quarantine' or 'warn'",
    ),
    (
        "orders: {columns: {id: {}}, tolerate: 1.5}",
        "line 6, expect.orders.tolerate: 1.5 is neither a share, such as 0.01, nor a count of rows, such as 5",
    ),
    ("orders: {rows: [{name: x}]}", "line 6, expect.orders.rows.1.that: required, but not there"),
    ("orders: {rows: [{that: a > 1}, {that: a  > 1}]}", "line 6, expect.orders.rows: two rules are called 'a > 1'"),
    (
        "orders: {table: {rows: [1, 2], on_breach: quarantine}}",
        (
            "line 6, expect.orders.table: "
            "only references have rows to set aside, not a rule over the whole; write fail or warn"
        ),
    ),
    (
        "orders: {table: {rows: [1, 2], tolerate: 5}}",
        "line 6, expect.orders.table: tolerate counts rows, as only references do; leave it out",
    ),
    (
        "orders: {table: {references: {boss: mart.orders.id}, on_breach: quarantine}}",
        (
            "line 5, expect: rows of mart.orders -> mart.orders cannot be set aside, since others may refer to them; "
            "let references fail or warn"
        ),
    ),
    (
        "orders: {table: {fresh: {column: at, within: soon}}}",
        (
            "line 6, expect.orders.table.fresh.within: "
            "'soon' is not a span of time; write one such as 90 minutes, 36 hours or 2 days"
        ),
    ),
    (
        "orders: {table: {references: {id: customers}}}",
        (
            "line 6, expect.orders.table.references.id: "
            "'customers' is not a column of a table, such as mart.airlines.carrier"
        ),
    ),
]


@pytest.mark.parametrize(("expect", "told"), PROBLEMS)
def test_a_problem_is_told_by_its_line(tmp_path: Path, expect: str, told: str) -> None:
    """An author learns where, what, and what was probably meant."""
    broken = read(tmp_path, expect)

    assert isinstance(broken, Broken)
    assert [str(problem) for problem in broken.problems] == [told]


@pytest.mark.parametrize("sizes", ["rows: [-1, 2]", "rows: [1.5, 2]", "rows: [1]", "rows: [1, 2, 3]", "change: [a, 2]"])
def test_ends_are_two_numbers(tmp_path: Path, sizes: str) -> None:
    """One end too many, a text or half a row is a problem at its place."""
    broken = read(tmp_path, f"orders: {{table: {{{sizes}}}}}")

    assert isinstance(broken, Broken)
    place = f"line 6, expect.orders.table.{sizes.partition(':')[0]}"
    assert [str(problem).startswith(place) for problem in broken.problems] == [True]
