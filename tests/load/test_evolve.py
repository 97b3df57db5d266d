"""A table grows with its datasets, and never loses a value; a frozen one explains every difference."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import SpecError
from etl_load._fit import fits, widened
from etl_load._load import load_into
from tests.load.warehouse import Loading

BY_ID: dict[str, Any] = {"table": "t", "mode": "upsert", "key": ["id"]}
TYPES = (
    "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attnum > 0"
)
WIDER = [
    # the table has, the dataset has, the table gets
    ("smallint", pa.array([2**31 - 1], pa.int32()), "integer"),
    ("smallint", pa.array([2**63 - 1], pa.int64()), "bigint"),
    ("integer", pa.array([2**63 - 1], pa.int64()), "bigint"),
    ("bigint", pa.array([2**64 - 1], pa.uint64()), "numeric(20,0)"),
    ("integer", pa.array([0.1], pa.float64()), "double precision"),
    ("smallint", pa.array([0.5], pa.float32()), "real"),
    ("real", pa.array([0.1], pa.float64()), "double precision"),
    ("integer", pa.array([Decimal("1.25")], pa.decimal128(5, 2)), "numeric(12,2)"),
    ("bigint", pa.array([Decimal("1.25")], pa.decimal128(5, 2)), "numeric(21,2)"),
    ("numeric(6,3)", pa.array([Decimal("12345.6")], pa.decimal128(6, 1)), "numeric(8,3)"),
    ("numeric(6,3)", pa.array([2**31 - 1], pa.int32()), "numeric(13,3)"),
    ("character varying(1)", pa.array(["longer"]), "text"),
]


def one(value: pa.Array, id_: int = 2) -> pa.Table:
    """Make a row with an id and a value."""
    return pa.table({"id": pa.array([id_], pa.int64()), "v": value})


@pytest.mark.parametrize("mode", ["upsert", "append"])
@pytest.mark.parametrize(("theirs", "value", "wider"), WIDER, ids=[f"{case[0]} to {case[2]}" for case in WIDER])
def test_type_widens_without_loss(loading: Loading, mode: str, theirs: str, value: pa.Array, wider: str) -> None:
    """A column becomes the narrowest type that holds both, with the old values and the new, whatever way rows come."""
    loading.warehouse.sql(f"create table mart.t (id bigint primary key, v {theirs}); alter table mart.t owner to load")
    loading.warehouse.sql("insert into mart.t values (1, '7')")
    target = {**BY_ID, "mode": mode}

    loading.load("t", one(value), target)
    result = loading.load("t", one(value), target, run_id="again")

    told = dict(result.columns["mart.t"])
    assert (told["id"], told["v"]) == ("bigint", wider)
    assert dict(loading.warehouse.sql(TYPES, "mart.t"))["v"] == wider
    assert loading.warehouse.sql("select v from mart.t where id = 1") in ([(7,)], [("7",)])
    assert loading.warehouse.sql("select v from mart.t where id = 2") == [(value[0].as_py(),)]


@pytest.mark.parametrize(
    ("theirs", "value", "ours"),
    [
        ("bigint", pa.array([0.5]), "double precision"),
        ("double precision", pa.array([2**62]), "bigint"),
        ("numeric(10,2)", pa.array([0.5]), "double precision"),
        ("text", pa.array([1]), "bigint"),
        ("integer", pa.array(["1"]), "text"),
        ("date", pa.array([datetime(2024, 3, 1)]), "timestamp without time zone"),  # noqa: DTZ001 - has none
        ("timestamp without time zone", pa.array([date(2024, 3, 1)]), "date"),
        ("boolean", pa.array([1]), "bigint"),
    ],
)
def test_what_would_lose_is_refused(loading: Loading, theirs: str, value: pa.Array, ours: str) -> None:
    """Where no type holds both, the load is refused, and table and rows stay."""
    loading.warehouse.sql(f"create table mart.t (id bigint primary key, v {theirs}); alter table mart.t owner to load")

    with pytest.raises(SpecError) as caught:
        loading.load("t", one(value), BY_ID)

    assert str(caught.value) == (
        f"load.t, column 'v': it is {ours}, but {theirs} in mart.t. "
        f"Convert it in the transform to {theirs}, or alter the table."
    )


def test_new_columns_are_null_in_old_rows(loading: Loading) -> None:
    """A column that the dataset has first is added at the end, null where no load gave it a value."""
    loading.load("t", pa.table({"id": [1], "a": ["x"]}), BY_ID)

    loading.load("t", pa.table({"new": [1.5], "id": [2], 'sel"ect %s': [True]}), BY_ID, run_id="next")

    assert loading.warehouse.rows("mart.t") == ["(1,x,,)", "(2,,1.5,t)"]
    assert [name for name, _ in loading.warehouse.sql(TYPES, "mart.t")] == ["id", "a", "new", 'sel"ect %s']


def test_column_waits_for_its_first_value(loading: Loading) -> None:
    """A column without any value is left out of a table that lacks it, and added with its first value."""
    for target in (BY_ID, {"table": "u", "mode": "append"}):
        loading.load("t", pa.table({"id": [1], "note": pa.nulls(1)}), target)
        loading.load("t", pa.table({"id": [2], "note": pa.nulls(1)}), target, run_id="next")
        names = [name for name, _ in loading.warehouse.sql(TYPES, f"mart.{target['table']}")]
        assert "note" not in names

    loading.load("t", pa.table({"id": [3], "note": ["x"]}), BY_ID, run_id="last")

    assert loading.warehouse.rows("mart.t") == ["(1,)", "(2,)", "(3,x)"]


def test_narrower_rows_leave_the_table_as_it_is(loading: Loading) -> None:
    """Nothing is narrowed, and a text that fits a length keeps it."""
    loading.warehouse.sql("create table mart.t (id bigint primary key, v varchar(3)); alter table mart.t owner to load")

    loading.load("t", pa.table({"id": pa.array([1], pa.int16()), "v": ["abc"]}), BY_ID)

    assert dict(loading.warehouse.sql(TYPES, "mart.t")) == {"id": "bigint", "v": "character varying(3)"}


def test_failed_load_changes_no_column(loading: Loading) -> None:
    """The table changes in the transaction that brings the rows, or not at all."""
    loading.load("t", one(pa.array([1], pa.int16())), BY_ID)
    loading.warehouse.sql("alter table mart.t add check (id < 3)")

    with pytest.raises(Exception, match="violates check constraint"):
        loading.load("t", one(pa.array([2**40]), 3), BY_ID, run_id="next")

    assert dict(loading.warehouse.sql(TYPES, "mart.t")) == {"id": "bigint", "v": "smallint"}


def test_view_of_a_column_is_told(loading: Loading) -> None:
    """A column that a view shows cannot be widened; a new one can be added beside it."""
    loading.load("t", one(pa.array([1], pa.int16())), BY_ID)
    loading.warehouse.sql("create view mart.view_t as select v from mart.t")

    loading.load("t", one(pa.array([1], pa.int16())).append_column("w", pa.array([1])), BY_ID, run_id="next")
    with pytest.raises(SpecError) as caught:
        loading.load("t", one(pa.array([2**40])), BY_ID, run_id="last")

    assert str(caught.value) == (
        "load.t, column 'v': it is bigint, but smallint in mart.t, which cannot become bigint: "
        "mart.view_t is a view of it. "
        "Drop the view, load, and make it again; or convert the column in the transform to smallint."
    )


def test_table_of_another_owner_is_not_changed(loading: Loading) -> None:
    """Only a table's owner may change it; who that is, and what is needed, is told before anything is written."""
    loading.warehouse.sql("create table mart.t (id bigint primary key, v smallint); grant all on mart.t to load")

    with pytest.raises(SpecError) as caught:
        loading.load("t", one(pa.array([2**40])).append_column("w", pa.array(["x"])), BY_ID)

    assert str(caught.value) == (
        "load.t: mart.t lacks what 'w' (text), 'v' (bigint) need. "
        "Have it changed by 'postgres', who owns it, or keep these columns from it in the transform."
    )


def test_generated_column_takes_no_value(loading: Loading) -> None:
    """A column whose values the table makes is refused by name, not by the server in the middle."""
    loading.warehouse.sql("""create table mart.t (id bigint primary key, v bigint generated always as (id * 2) stored);
                             alter table mart.t owner to load""")

    with pytest.raises(SpecError, match=r"load\.t, column 'v': mart\.t makes its values by itself\. Drop it"):
        loading.load("t", one(pa.array([4])), BY_ID)
    loading.load("t", pa.table({"id": [2]}), BY_ID)

    assert loading.warehouse.rows("mart.t") == ["(2,4)"]


def test_widening_is_the_same_from_both_sides() -> None:
    """Whichever came first, the type that holds both is one, and it holds both."""
    names = [theirs for theirs, _, _ in WIDER] + [wider for _, _, wider in WIDER] + ["numeric", "text", "date", "uuid"]
    for one_ in names:
        for other in names:
            both = widened(one_, other)
            assert both == widened(other, one_)
            if both and both != "text":
                assert fits(one_, both)
                assert fits(other, both)


def test_schema_travels_to_the_container(loading: Loading) -> None:
    """What a target says of its table is the same at the other end of the wire."""
    target = {**BY_ID, "schema": "frozen", "columns": {"v": "numeric( 12, 2 )"}, "indexes": ["v", ["v", "id"]]}
    task = loading.task({"t": (one(pa.array([1])), target)})

    again = type(task).model_validate_json(task.model_dump_json())

    assert again == task
    assert again.spec["t"].columns == {"v": "numeric(12,2)"}
    assert again.spec["t"].indexes == (("v",), ("v", "id"))
    load_into(loading.warehouse.uri(), again)
