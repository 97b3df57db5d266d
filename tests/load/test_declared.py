"""What a pipeline declares of its table, the table has: types, indexes, comments."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_contract import DataError, LoadTarget, SpecError
from tests.load.warehouse import Loading

MODES: list[dict[str, Any]] = [
    {"mode": "append"},
    {"mode": "replace"},
    {"mode": "partition", "partition": "day"},
    {"mode": "upsert", "key": ["id"]},
    {"mode": "history", "key": ["id"]},
]
DAY = date(2024, 3, 1)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["mode"])
def test_values_become_what_is_declared(loading: Loading, mode: dict[str, Any]) -> None:
    """Text becomes what it spells, numbers get their digits, in every mode; again changes nothing."""
    rows = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "day": [DAY, DAY],
            "at": ["2024-03-01T12:00:00+02:00", None],
            "price": [1.005, None],
            "n": pa.array([7, None], pa.int64()),
            "code": [7, None],
            "doc": ['{"a": 1.10}', None],
            "mark": ["6f0f4f0e-5a5c-4bb1-a5ae-6d3c1f7b2a10", None],
        }
    )
    types = {"at": "timestamptz", "price": "numeric(12,2)", "n": "int", "code": "text", "doc": "jsonb", "mark": "uuid"}
    target = {"table": "t", "columns": types, **mode}

    loading.load("t", rows, target)
    before = loading.warehouse.rows("mart.t")
    (again,) = loading.load("t", rows, target, run_id="again").loads

    assert loading.warehouse.sql("select at, price, n, code, doc->>'a' from mart.t order by id limit 1") == [
        (datetime(2024, 3, 1, 10, tzinfo=UTC), Decimal("1.01"), 7, "7", "1.10")
    ]
    assert loading.warehouse.rows("mart.t") == before
    assert again.rows_updated == 0


def test_key_may_be_declared_too(loading: Loading) -> None:
    """A key that is text becomes what it is, and duplicates are seen after that."""
    target: dict[str, Any] = {"table": "t", "mode": "upsert", "key": ["id"], "columns": {"id": "integer"}}
    loading.load("t", pa.table({"id": ["1", "2"]}), target)

    with pytest.raises(DataError, match=r"1 keys are there more than once: \(1\) 2 times"):
        loading.load("t", pa.table({"id": ["1", "01"]}), target, run_id="next")

    assert loading.warehouse.rows("mart.t") == ["(1)", "(2)"]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["mode"])
def test_texts_that_spell_nothing_are_listed(loading: Loading, mode: dict[str, Any]) -> None:
    """Every text that is no value of the declared type is told with its number of rows; a guess is never made."""
    rows = pa.table({"id": range(4), "day": [DAY] * 4, "at": ["2024-03-01", "03/04/2024", "03/04/2024", "0000-01-01"]})

    with pytest.raises(DataError) as caught:
        loading.load("t", rows, {"table": "t", "columns": {"at": "date"}, **mode})

    assert str(caught.value) == (
        "load.t, column 'at': 3 of 4 rows are no date: '03/04/2024' (2 rows), '0000-01-01' (1 rows). "
        "Correct or empty them in the transform, or declare another type under 'columns'."
    )
    assert loading.warehouse.sql("select to_regclass('mart.t')") == [(None,)]


@pytest.mark.parametrize(
    ("values", "declared", "problem"),
    [
        (pa.array([2**40]), "integer", "integer out of range"),
        (pa.array([1e20]), "numeric(5,2)", "numeric field overflow: A field with precision 5, scale 2 must round"),
        (pa.array([float("inf")]), "numeric(5,2)", "numeric field overflow: A field with precision 5, scale 2 cannot"),
        (pa.array([Decimal("1000.5")]), "numeric(4,1)", "numeric field overflow"),
    ],
)
def test_number_beyond_its_type_is_refused(loading: Loading, values: pa.Array, declared: str, problem: str) -> None:
    """A number that the declared type cannot hold fails the load."""
    with pytest.raises(DataError, match=f"load.t: {problem}"):
        loading.load("t", pa.table({"v": values}), {"table": "t", "mode": "append", "columns": {"v": declared}})


def test_nan_is_a_number_that_numeric_knows(loading: Loading) -> None:
    """NaN stays NaN: PostgreSQL's numeric has it."""
    rows = pa.table({"v": [float("nan")]})

    loading.load("t", rows, {"table": "t", "mode": "replace", "columns": {"v": "numeric(5,2)"}})

    assert loading.warehouse.rows("mart.t") == ["(NaN)"]


def test_declared_type_gives_a_column_of_nothing_a_type(loading: Loading) -> None:
    """A column without any value has the declared type from the start."""
    rows = pa.table({"id": [1], "v": pa.nulls(1)})

    loading.load("t", rows, {"table": "t", "mode": "append", "columns": {"v": "date"}})

    assert loading.warehouse.sql("select pg_typeof(v)::text from mart.t") == [("date",)]


def test_indexes_and_comments_are_there(loading: Loading) -> None:
    """A new table has them; an old one gets what is missing, and nothing twice."""
    rows = pa.table({"id": [1], "a %": [1], "b": ["x"]})
    target: dict[str, Any] = {"table": "t", "mode": "upsert", "key": ["id"], "indexes": ["a %", ["b", "id"]]}
    loading.load("t", rows, target)
    words = {"comment": "All of 't' %s", "comments": {"b": 'It\'s a "b"'}, "indexes": [["b", "id"], "b", "id"]}

    for run in ("more", "again"):
        loading.load("t", rows, {**target, **words}, run_id=run)

    found = loading.warehouse.sql("select indexdef from pg_indexes where tablename = 't' order by indexname")
    assert [text.partition(" ON ")[2] for (text,) in found] == [
        'mart.t USING btree ("a %")',
        "mart.t USING btree (b, id)",
        "mart.t USING btree (b)",
        "mart.t USING btree (id)",
    ]
    comments = "select obj_description('mart.t'::regclass), col_description('mart.t'::regclass, 3)"
    assert loading.warehouse.sql(comments) == [("All of 't' %s", 'It\'s a "b"')]


def test_declarations_of_nothing_are_refused(loading: Loading) -> None:
    """A column that is not there, and a type that cannot be, are told together."""
    rows = pa.table({"id": [1], "amount": [1.5]})
    target = {
        "table": "t",
        "mode": "append",
        "columns": {"amout": "text", "amount": "integer", "id": "uuid"},
        "indexes": [["id", "day"]],
        "comments": {"none": "?"},
    }

    with pytest.raises(SpecError) as caught:
        loading.load("t", rows, target)

    assert str(caught.value) == (
        "5 problems:\n"
        "  load.t.columns: there is no column 'amout'. Did you mean 'amount'? The dataset has: id, amount.\n"
        "  load.t.comments: there is no column 'none'. The dataset has: id, amount.\n"
        "  load.t.indexes: there is no column 'day'. The dataset has: id, amount.\n"
        "  load.t.columns: 'id' is bigint, of which no uuid is made without loss. Convert it in the transform.\n"
        "  load.t.columns: 'amount' is double precision, of which no integer is made without loss. "
        "Convert it in the transform."
    )


@pytest.mark.parametrize("text", ["money", "numeric(0)", "numeric(2,3)", "text(3)", "varchar(0)", "int; drop", "int[]"])
def test_unknown_types_are_refused(text: str) -> None:
    """A type that is none, or not one of those that a load makes, is refused when the file is read."""
    with pytest.raises(ValidationError, match="is no type; write one such as text, bigint, numeric"):
        LoadTarget.model_validate({"table": "t", "mode": "append", "columns": {"v": text}})


def test_schema_is_made_where_the_role_may(loading: Loading) -> None:
    """A schema that is not there is made if the role `load` may create schemas."""
    loading.warehouse.sql("grant create on database warehouse to load")
    try:
        loading.load("t", pa.table({"id": [1]}), {"table": "sales.t", "mode": "append"})

        assert loading.warehouse.sql("select id from sales.t") == [(1,)]
    finally:
        loading.warehouse.sql("revoke create on database warehouse from load")
        loading.warehouse.sql("drop schema if exists sales cascade")


def test_reader_of_a_text_cannot_bend_it(loading: Loading) -> None:
    """A comment with quotes and backslashes is that comment."""
    words = "\\'; drop table mart.t; --"
    loading.load("t", pa.table({"id": [1]}), {"table": "t", "mode": "append", "comment": words})

    with psycopg.connect(loading.warehouse.uri("report")) as connection:
        assert connection.execute("select obj_description('mart.t'::regclass)").fetchone() == (words,)
