"""Transforms and parameters as authors write them, and what `make check` tells of them."""

from pathlib import Path
from textwrap import dedent

import pytest

from etl_contract import PandasTransform, SqlTransform, TransformTask
from etl_platform import Broken, Pipeline, read_pipeline
from etl_platform._twins import MOST_TWIN_BYTES, outputs_of
from etl_platform._yaml import text_lines
from tests.transform.running import NEW_YEAR

SQL = "-- Orders.\ncreate table orders as select 1 as id;\ncreate temp table x as from orders;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with twins in both languages."""
    (tmp_path / "orders.sql").write_text(SQL)
    (tmp_path / "orders.py").write_text("def clean(orders):\n    return {'orders': orders}\n")
    return tmp_path


def _read(folder: Path, transform: str, load: str = "orders", params: str = "{}") -> Pipeline | Broken:
    file = folder / "orders.yaml"
    file.write_text(
        "extract: {orders: {sql: source, table: orders}}\n"
        f"load: {{{load}: {{table: orders, mode: upsert, key: [id]}}}}\n"
        f"params: {params}\n"
        f"transform: {dedent(transform)}"
    )
    return read_pipeline(file)


def _problems(folder: Path, transform: str, load: str = "orders", params: str = "{}") -> list[str]:
    broken = _read(folder, transform, load, params)
    assert isinstance(broken, Broken)
    return [str(problem) for problem in broken.problems]


def test_a_sql_twin_travels_with_the_pipeline(folder: Path) -> None:
    """Its text is part of the pipeline, as that of a .py is."""
    pipeline = _read(folder, " {sql: orders.sql}\n")

    assert isinstance(pipeline, Pipeline)
    assert pipeline.transform == SqlTransform(sql="orders.sql")
    assert pipeline.files == {"orders.sql": SQL}


def test_steps_may_have_several_twins(folder: Path) -> None:
    """A list of steps is kept in order, with the text of each file."""
    pipeline = _read(folder, "\n- sql: {a: select 1}\n- pandas: orders.py:clean\n  batches: 5\n- sql: orders.sql\n")

    assert isinstance(pipeline, Pipeline)
    assert pipeline.transform == (
        SqlTransform(sql={"a": "select 1"}),
        PandasTransform(pandas="orders.py:clean", batches=5),
        SqlTransform(sql="orders.sql"),
    )
    assert set(pipeline.files) == {"orders.py", "orders.sql"}


@pytest.mark.parametrize(
    ("transform", "told"),
    [
        (
            " {sql: order.sql}\n",
            "line 4, transform.sql: there is no file 'order.sql' beside it; did you mean 'orders.sql'?",
        ),
        (" {sql: {orders: ''}}\n", "line 4, transform.sql.orders: String should have at least 1 character, not ''"),
        (
            " {sql: {Orders: select 1}}\n",
            "line 4, transform.sql.Orders: 'Orders' is not a name of lower-case letters, digits and _ (at most 63)",
        ),
        (" {sql: {}}\n", "line 4, transform.sql: Dictionary should have at least 1 item after validation, not 0"),
        (" {sql: 3}\n", "line 4, transform.sql: Input should be a valid string, not 3"),
        (" {sqll: select 1}\n", "line 4, transform: 'sqll' is not a transform; did you mean 'sql'?"),
        (" {spark: select 1}\n", "line 4, transform: 'spark' is not a transform; write one of: pandas, sql"),
        (" select 1\n", "line 4, transform: this is not a transform; write one of: pandas, sql"),
        (" []\n", "line 4, transform: the list has no step; write one, or leave 'transform' out"),
        (
            "\n- sql: {orders: select 1}\n- 3\n",
            "line 6, transform.2: this is not a transform; write one of: pandas, sql",
        ),
        (
            "\n- sql: {orders: select 1}\n- pandas: orders.py:claen\n",
            "line 6, transform.2.pandas: orders.py has no function 'claen'; did you mean 'clean'?",
        ),
        ("\n- sql: {orders: select 1}\n  batches: 3\n", "line 6, transform.1.batches: no such field"),
        (
            " {pandas: orders.py:clean, batches: 0}\n",
            "line 4, transform.batches: Input should be greater than or equal to 1, not 0",
        ),
        (
            " {pandas: orders.py:clean, batches_of: orders}\n",
            "line 4, transform.batches: say how many rows, such as 100000",
        ),
        (" {sql: {order: select 1}}\n", "line 2, load: 'orders' is made by no query; did you mean 'order'?"),
        (
            " {sql: create table order_s as select 1}\n",
            "line 2, load: 'orders' is made by no query; did you mean 'order_s'?",
        ),
    ],
)
def test_a_mistake_is_told_before_any_run(folder: Path, transform: str, told: str) -> None:
    """The structure is checked without a database."""
    assert _problems(folder, transform) == [told]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("select 1", "orders.sql makes no output; write 'create table NAME as select ...' for each"),
        ("", "orders.sql makes no output; write 'create table NAME as select ...' for each"),
        ("create table orders as select 1; create table Orders as select 2", "orders.sql makes 'orders' twice"),
    ],
)
def test_a_sql_twin_without_its_outputs_is_told(folder: Path, script: str, told: str) -> None:
    """What a file makes is known without running it."""
    (folder / "orders.sql").write_text(script)

    assert _problems(folder, " {sql: orders.sql}\n") == [f"line 4, transform.sql: {told}"]


def test_a_sql_twin_that_is_too_long_is_told(folder: Path) -> None:
    """All twins of a pipeline travel in one task."""
    (folder / "orders.sql").write_text(SQL + "-" * MOST_TWIN_BYTES)

    assert _problems(folder, " {sql: orders.sql}\n") == [
        "line 4, transform: 'orders.sql' has more than 96 KiB; split the pipeline"
    ]


def test_a_sql_twin_in_another_encoding_is_told(folder: Path) -> None:
    """Nobody guesses an encoding."""
    (folder / "orders.sql").write_bytes("-- Caf\xe9".encode("latin-1"))

    assert _problems(folder, " {sql: orders.sql}\n") == [
        "line 4, transform.sql: 'orders.sql' is no UTF-8; save it as UTF-8"
    ]


def test_outputs_are_found_where_they_are_and_nowhere_else() -> None:
    """A comment, a text and what is only on the way make no output."""
    script = """
        -- create table a as select 1
        /* create table b as select 1 */
        create temp table c as select 'create table d as select 1';
        create view v as from c;
        CREATE OR REPLACE TABLE "e" AS (select 1);
        create table
          if not exists f
        as from c;
    """

    assert outputs_of(script) == ["e", "f"]


def test_the_line_of_each_query_is_known(folder: Path) -> None:
    """A task says where its queries begin, also in a block and in a list."""
    transform = """
        - sql:
            a: select 1
            b: |
              select 2
        - sql: >
            create table orders as select 1
    """
    pipeline = _read(folder, transform)
    assert isinstance(pipeline, Pipeline)

    lines = {place: line for place, line in text_lines(pipeline.text).items() if place.startswith("transform")}

    assert lines == {"transform.1.sql.a": 6, "transform.1.sql.b": 8, "transform.2.sql": 10}
    TransformTask(
        pipeline="orders", run_id="1", interval=NEW_YEAR, run_uri="file:///r", spec=pipeline.transform, lines=lines
    )


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ("{start: 1}", "line 3, params: 'start' has a meaning already; rename the parameter"),
        ("{Delay: 1}", "line 3, params.Delay: 'Delay' is not a name of lower-case letters, digits and _ (at most 63)"),
        ("{delay: {default: x, type: integer}}", "line 3, params.delay: 'x' is not of type integer"),
        (
            "{delay: [1]}",
            "line 3, params.delay.default: [1] is no value; write a text, a number, a date, true or false",
        ),
        (
            "{delay: {default: 1, type: int}}",
            "line 3, params.delay.type: 'int' is none of 'boolean', 'date', 'integer', 'number' or 'string'; did",
        ),
        ("{delay: {defalt: 1, type: integer}}", "line 3, params.delay.defalt: no such field; did you mean 'default'?"),
    ],
)
def test_a_parameter_that_cannot_be_is_told(folder: Path, params: str, told: str) -> None:
    """With its line and its value."""
    assert told in "\n".join(_problems(folder, " {pandas: orders.py:clean}\n", params=params))
