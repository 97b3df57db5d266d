"""What sources remember moves with their rows, or not at all."""

import pyarrow as pa
import pytest

from etl_contract import DataError, Outcome, SpecError, TakenFile, Watermark
from etl_load._load import load_into
from tests.load.warehouse import Loading

TARGET = {"table": "orders", "mode": "upsert", "key": ["id"]}
ROWS = pa.table({"id": [1, 2], "item": ["pen", "ink"]})
FILE = TakenFile(source="orders", uri="inbox:///orders.csv", bytes=12, sha256="a" * 64)


def _remembered(loading: Loading) -> list[tuple[object, ...]]:
    return loading.warehouse.sql("select source, field, value, run_id from etl.watermarks order by 1, 2")


def _load(
    loading: Loading, rows: pa.Table, value: str, run_id: str, *files: TakenFile, since: str | None = None
) -> Outcome:
    task = loading.task({"orders": (rows, TARGET)}, run_id=run_id)
    marks = (Watermark(source="orders", field="updated_at", value=value, cursor=True, since=since),)
    return load_into(loading.warehouse.uri(), task.model_copy(update={"watermarks": marks, "files": files})).outcome


def test_a_watermark_moves_with_the_rows(loading: Loading) -> None:
    """The next load finds what the last one read, and which run that was."""
    _load(loading, ROWS, "2026-01-01T00:00:00+00:00", "first")

    _load(loading, ROWS, "2026-01-02T00:00:00+00:00", "second", since="2026-01-01T00:00:00+00:00")

    assert _remembered(loading) == [("orders", "updated_at", "2026-01-02T00:00:00+00:00", "second")]


def test_a_load_that_fails_moves_nothing(loading: Loading) -> None:
    """What was not loaded is read again."""
    _load(loading, ROWS, "1", "first", FILE)
    twice = pa.table({"id": [3, 3], "item": ["nib", "nib"]})

    with pytest.raises(DataError):
        _load(loading, twice, "2", "second", FILE.model_copy(update={"uri": "inbox:///other.csv"}), since="1")

    assert _remembered(loading) == [("orders", "updated_at", "1", "first")]
    assert loading.warehouse.sql("select uri from etl.files") == [("inbox:///orders.csv",)]


def test_a_file_is_noted_once(loading: Loading) -> None:
    """A run that is repeated notes its files once; the same name with other content is another file."""
    _load(loading, ROWS, "1", "first", FILE)

    _load(loading, ROWS, "1", "first", FILE)
    _load(loading, ROWS, "1", "again", FILE.model_copy(update={"sha256": "b" * 64}), since="1")

    noted = loading.warehouse.sql("select uri, bytes, run_id, left(sha256, 1) from etl.files order by sha256")
    assert noted == [("inbox:///orders.csv", 12, "first", "a"), ("inbox:///orders.csv", 12, "again", "b")]


def test_what_has_no_table_is_remembered_too(loading: Loading) -> None:
    """A pipeline that only exports has no target, and its sources remember all the same."""
    task = loading.task({}).model_copy(update={"files": (FILE,)})

    result = load_into(loading.warehouse.uri(), task)

    assert result.outcome is Outcome.done
    assert loading.warehouse.sql("select source, uri from etl.files") == [("orders", "inbox:///orders.csv")]


def test_a_cursor_that_another_run_has_moved_is_told(loading: Loading) -> None:
    """Two runs read the same rows; the second load is refused, and changes nothing."""
    _load(loading, ROWS, "2", "first")
    more = pa.table({"id": [9], "item": ["nib"]})

    with pytest.raises(
        SpecError, match="after the beginning, but the watermark has been moved to '2' by the run first"
    ):
        _load(loading, more, "3", "second")

    assert _remembered(loading) == [("orders", "updated_at", "2", "first")]
    assert loading.warehouse.sql("select count(*) from mart.orders") == [(2,)]


def test_a_run_that_is_loaded_again_moves_nothing_back(loading: Loading) -> None:
    """A retry whose first try was committed, and a replay after later runs, load their rows and leave the watermark."""
    _load(loading, ROWS, "2", "first")
    _load(loading, ROWS, "2", "first")
    _load(loading, ROWS, "5", "second", since="2")

    _load(loading, ROWS, "2", "first")

    assert _remembered(loading) == [("orders", "updated_at", "5", "second")]


def test_a_source_without_a_cursor_is_whole_beside_one_with(loading: Loading) -> None:
    """A table of another source may be replaced, though the run follows a cursor."""
    prices = pa.table({"id": [1]})
    task = loading.task({"orders": (ROWS, TARGET), "prices": (prices, {"table": "prices", "mode": "replace"})})
    marks = (Watermark(source="orders", field="id", value="2", cursor=True),)

    load_into(loading.warehouse.uri(), task.model_copy(update={"watermarks": marks, "whole": ("prices",)}))

    assert loading.warehouse.sql("select id from mart.prices") == [(1,)]
