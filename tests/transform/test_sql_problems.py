"""What an author of SQL is told: what is wrong, where, and what to do next."""

import pytest

from etl_contract import DataError, SpecError, StageError
from tests.transform.running import Stage

HINT = (
    "Write 'create table NAME as select ...' for each output, and 'create temp table', 'create view' or 'create macro' "
    "for what is only on the way there."
)


def _told(stage: Stage, sql: object, kind: type[StageError] = SpecError, **lines: int) -> str:
    files = {}
    spec = sql
    if isinstance(sql, str) and sql.startswith("-- file\n"):
        spec, files = "orders.sql", {"orders.sql": sql}
    with pytest.raises(kind) as error:
        stage.run({"sql": spec}, files, **lines)
    return str(error.value)


@pytest.mark.parametrize(
    ("query", "line", "told"),
    [
        ("select\n  prize\nfrom orders", 12, 'Referenced column "prize" not found in FROM clause! Candidate bindings:'),
        (
            "select * from order_",
            11,
            "Table with name order_ does not exist! There are: orders. Did you mean 'orders'?",
        ),
        ("select 1\nfrom main.order_", 12, "Table with name order_ does not exist!"),
        ("select summ(id)\nfrom orders", 11, 'Scalar Function with name summ does not exist! Did you mean "sum"?'),
        ("select id,\nfrom orders\nwhere", 13, 'syntax error at or near "where". Correct the query.'),
        ("select id\nfrmo orders", 12, 'syntax error at or near "orders". Correct the query.'),
        ("select 'open\nfrom orders", 11, "unterminated string literal"),
        (
            "select id from orders where id >\n :strat",
            12,
            "no value for :strat. There are :end, :first_day, :last_day, :start. Did you mean ':start'?",
        ),
        ("select id, ID, price as id from orders", 11, "two columns are named id. Give each its own name with 'as'"),
        ("select id, price as Id from orders", 11, "two columns are named Id, id. Give each its own name with 'as'"),
        ("copy orders to '/tmp/x'", 11, "'copy' is no query. Write a query, such as 'select ... from ...'."),
        ("select 1; drop table x", 11, "'x' has 2 statements. An output has one."),
        ("-- nothing", 11, "'x' has 0 statements."),
        ("pivot orders on shop using sum(price)", 11, "'pivot' is no query. Name the columns of a pivot"),
    ],
)
def test_a_mistake_in_a_query_is_told_with_its_line_in_the_pipelines_file(
    stage: Stage, query: str, line: int, told: str
) -> None:
    """The line is the YAML file's, and what DuckDB suggests is the hint."""
    message = _told(stage, {"x": query}, transform__sql__x=11)

    assert message.startswith(f"config/pipelines/orders.yaml, line {line}, transform.sql.x: {told}")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "create table a as\nselect prize\nfrom orders;",
            'line 3: Referenced column "prize" not found in FROM clause! Candidate bindings: "price"',
        ),
        ("create table a as select 1 as x;\n\nselect * from a", f"line 4: this select goes nowhere. {HINT}"),
        ("create table a as select 1 as x;\nattach 'x.db'", f"line 3: 'attach' is not allowed like this here. {HINT}"),
        ("create table a as from orders; install httpfs", f"line 2: 'install' is not allowed like this here. {HINT}"),
        (
            "create table a as from orders; pragma memory_limit='1TB'",
            f"line 2: 'pragma' is not allowed like this here. {HINT}",
        ),
        ("create table a as from orders; set threads = 9", f"line 2: 'set' is not allowed like this here. {HINT}"),
        ("create table a as from orders; copy a to '/tmp/x'", f"line 2: 'copy' is not allowed like this here. {HINT}"),
        (
            "create table a as from orders;\ninsert into a values (1)",
            f"line 3: 'insert' is not allowed like this here. {HINT}",
        ),
        ("create table a (id int);", f"line 2: 'create' is not allowed like this here. {HINT}"),
        ("create secret s (type s3)", f"line 2: 'create' is not allowed like this here. {HINT}"),
        (
            "create table a as from orders;\n/* again */\ncreate table A as from orders;",
            "line 4: 'A' is not a name of lower-case letters, digits and _ (at most 63). Rename the output.",
        ),
        (
            "create table a as from orders;\n/* again */\ncreate temp table A as from orders;",
            "line 4: 'A' is made twice. The first stands in line 2. Rename one.",
        ),
        (
            'create table "../../x" as from orders',
            "line 2: '../../x' is not a name of lower-case letters, digits and _ (at most 63). Rename the output.",
        ),
        ("create view v as from orders", f"line 1: there is no output. {HINT}"),
        ("", f"line 1: there is no output. {HINT}"),
        (
            "create table a as pivot orders on shop using sum(price)",
            "line 2: the columns of a pivot are not named. Name the columns of a pivot",
        ),
        ("create table a as select 'it''s :x', :y", "line 2: no value for :y."),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(stage: Stage, script: str, told: str) -> None:
    """The line is the SQL file's own."""
    assert _told(stage, f"-- file\n{script}").startswith(f"config/pipelines/orders.sql, {told}")


def test_every_mistake_of_a_script_is_told_at_once(stage: Stage) -> None:
    """An author mends a file in one go."""
    message = _told(stage, "-- file\nload x;\ncreate table a as from orders;\nselect 1;")

    assert message.startswith("2 problems:\n  config/pipelines/orders.sql, line 2: 'load'")
    assert "\n  config/pipelines/orders.sql, line 4: this select" in message


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select shop::int as x from orders", "Could not convert string 'Paris' to INT32 when casting from source"),
        ("select id // (id - 2) as y from orders", "Division by zero in expression (id // (id - 2)). Correct the rows"),
        ("select id::int + 2147483646::int as y from orders", "Overflow in addition of INT32 (2 + 2147483646)!"),
        (
            "select id * 9223372036854775807 as y from orders",
            "Overflow in multiplication of INT64 (2 * 9223372036",
        ),
        (
            "select (shop || '-1-1')::date as y from orders",
            'invalid date field format: "Paris-1-1", expected format',
        ),
        ("select if(id = 3, error('order ' || id || ' is odd'), id) as y from orders", "order 3 is odd"),
        (
            "select 170141183460469231731687303715884105727 - id as y from orders",
            "Could not cast value 1701411834",
        ),
    ],
)
def test_a_wrong_value_is_told_with_the_value(stage: Stage, query: str, told: str) -> None:
    """What the rows are to blame for is a DataError, which is not tried again."""
    message = _told(stage, {"x": query}, DataError, transform__sql__x=5)

    assert message.startswith(f"config/pipelines/orders.yaml, line 5, transform.sql.x: {told}")


def test_a_wrong_value_is_told_with_the_line_of_the_expression(stage: Stage) -> None:
    """Where DuckDB knows the line, it is told."""
    message = _told(stage, {"x": "select id,\n  shop::int as shop\nfrom orders"}, DataError, transform__sql__x=5)

    assert "orders.yaml, line 6, " in message
    assert message.endswith("Correct the rows, or let the query stand them: try_cast(...), try(...), nullif(...).")


@pytest.mark.parametrize("name", ['select "x"; drop', "a b", "é", "🙂", "x" * 60, "select", "UPPER", "'"])
def test_a_hostile_column_name_is_only_a_name(stage: Stage, name: str) -> None:
    """A column may be called anything."""
    column = '"' + name.replace('"', '""') + '"'

    result = stage.run(
        {
            "sql": {
                "first": f"from orders select id as {column}, 1::hugeint as n",
                "result": f"from first select {column}",
            }
        }
    )

    assert stage.rows(result).schema.names == [name]
