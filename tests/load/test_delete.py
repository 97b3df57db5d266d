"""What is gone from the source goes from the table, where the pipeline says so."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_contract import LoadTarget, SpecError, Watermark
from etl_load._load import load_into
from tests.load.warehouse import Loading

STOCK: dict[str, Any] = {"table": "stock", "mode": "upsert", "key": ["id"]}
WHOLE = {**STOCK, "delete": "missing"}


def stock(*ids: int, **more: pa.Array) -> pa.Table:
    """Make a row for each id."""
    return pa.table({"id": pa.array(ids, pa.int64()), "n": pa.array([id_ * 10 for id_ in ids], pa.int64()), **more})


def test_missing_rows_are_deleted(loading: Loading) -> None:
    """With `delete: missing` the table has the dataset's keys and no others."""
    loading.load("stock", stock(1, 2, 3), WHOLE)

    (load,) = loading.load("stock", stock(2, 4), WHOLE, run_id="next").loads

    assert (load.rows_inserted, load.rows_updated, load.rows_deleted) == (1, 0, 2)
    assert loading.warehouse.rows("mart.stock") == ["(2,20)", "(4,40)"]


@pytest.mark.parametrize(
    "gone",
    [
        pa.array([True, False, None]),
        pa.array([datetime(2024, 3, 1, tzinfo=UTC), None, None]),
        pa.array([datetime(2024, 3, 1, tzinfo=UTC).date(), None, None]),
    ],
    ids=["boolean", "instant", "date"],
)
def test_flagged_rows_are_deleted(loading: Loading, gone: pa.Array) -> None:
    """Rows that a column marks as gone are deleted, or never come; the column is not stored."""
    loading.load("stock", stock(1, 2), STOCK)

    (load,) = loading.load("stock", stock(1, 3, 4, gone=gone), {**STOCK, "delete": "gone"}, run_id="next").loads

    assert (load.rows_inserted, load.rows_deleted) == (2, 1)
    assert loading.warehouse.rows("mart.stock") == ["(2,20)", "(3,30)", "(4,40)"]


def test_column_without_a_mark_deletes_nothing(loading: Loading) -> None:
    """Where no row is marked, the column has no type, and nothing is deleted."""
    loading.load("stock", stock(1, 2), STOCK)

    loading.load("stock", stock(1, gone=pa.nulls(1)), {**STOCK, "delete": "gone"}, run_id="next")

    assert loading.warehouse.rows("mart.stock") == ["(1,10)", "(2,20)"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (stock(1), "there is no column 'gone'. Write 'missing', or a column of the dataset, which has: id, n."),
        (
            stock(1, gone=pa.array(["yes"])),
            (
                "'gone' is of type string, neither a boolean nor a time. "
                "Make it true or false, or the time at which the row was deleted, in the transform."
            ),
        ),
    ],
)
def test_mark_must_be_one(loading: Loading, rows: pa.Table, problem: str) -> None:
    """A column that is not there, or says neither yes nor no, is refused."""
    with pytest.raises(SpecError) as caught:
        loading.load("stock", rows, {**STOCK, "delete": "gone"})

    assert str(caught.value) == f"load.stock.delete: {problem}"


def test_missing_needs_all_rows(loading: Loading) -> None:
    """What a cursor did not read is not missing."""
    mark = Watermark(source="stock", field="id", value="7", cursor=True)
    task = loading.task({"stock": (stock(1), WHOLE)}).model_copy(update={"watermarks": (mark,)})

    with pytest.raises(SpecError, match="mode 'upsert' with 'delete: missing' needs all rows, but a cursor gives"):
        load_into(loading.warehouse.uri(), task)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ({"mode": "append", "delete": "missing"}, "delete: has no meaning for mode 'append'"),
        ({"mode": "upsert", "key": ["id"], "delete": "id"}, "delete: 'id' is a column of the key"),
        ({"mode": "history"}, "key: required for mode 'history', but not there"),
    ],
)
def test_delete_has_its_place(target: dict[str, Any], problem: str) -> None:
    """A target that says what cannot be is refused when it is read."""
    with pytest.raises(ValidationError, match=problem):
        LoadTarget.model_validate({"table": "t", **target})
