"""A full refresh replaces all rows, once; it is refused where rows would be lost."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, NothingToDo, SpecError, StageResult, TakenFile, Watermark
from etl_load._load import load_into
from tests.load.warehouse import Loading, day_of

TARGETS = [
    {"table": "events", "mode": "append"},
    {"table": "events", "mode": "replace"},
    {"table": "events", "mode": "upsert", "key": ["name"]},
]
APPEND = TARGETS[0]
FILE = TakenFile(source="events", uri="inbox/a.csv", bytes=2, sha256="a" * 64)


def _events(names: str) -> pa.Table:
    return pa.table({"name": pa.array(list(names), pa.string())})


def _names(loading: Loading) -> str:
    return "".join(name for (name,) in loading.warehouse.sql("select name from mart.events order by 1"))


def _load(
    loading: Loading, names: str, run_id: str, target: dict[str, Any] = APPEND, *, refresh: bool = False, **more: Any  # noqa: ANN401 - fields of a task
) -> StageResult:  # fmt: skip
    task = loading.task({"events": (_events(names), target)}, run_id=run_id)
    return load_into(loading.warehouse.uri(), task.model_copy(update={"full_refresh": refresh, **more}))


def _mark(value: str, since: str | None = None) -> dict[str, Any]:
    mark = Watermark(source="events", field="id", value=value, since=since, cursor=True)
    return {"watermarks": (mark,), "whole": ()}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target["mode"]))
def test_the_table_has_what_the_sources_have_now(loading: Loading, target: dict[str, Any]) -> None:
    """Also after a retry; rows that the sources have no more are gone, and the ledger says what happened."""
    _load(loading, "abx", "before", target, files=(FILE,))

    first = _load(loading, "abc", "anew", target, refresh=True, files=(FILE,))
    _load(loading, "abc", "anew", target, refresh=True, files=(FILE,))

    assert _names(loading) == "abc"
    assert (first.loads[0].rows_inserted, first.loads[0].rows_deleted) == (3, 3)
    assert {line["run_id"]: line["mode"] for line in loading.warehouse.ledger()} == {
        "before": target["mode"],
        "anew": "refresh",
    }


def test_a_first_load_may_be_one(loading: Loading) -> None:
    """Where there is no table yet, it makes one."""
    _load(loading, "ab", "anew", refresh=True)

    assert _names(loading) == "ab"


def test_a_source_that_gives_no_row_empties_no_table(loading: Loading) -> None:
    """More likely something is wrong with it."""
    _load(loading, "ab", "before", files=(FILE,))

    with pytest.raises(DataError, match=r"would lose all rows of mart\.events, since its sources give none"):
        _load(loading, "", "anew", refresh=True)

    assert _names(loading) == "ab"


def test_rows_that_others_have_loaded_are_not_lost(loading: Loading) -> None:
    """Another pipeline, or another dataset, has its rows in the same table."""
    loading.load("events", _events("a"), APPEND, pipeline="other")
    loading.load("more", _events("b"), APPEND)

    with pytest.raises(
        DataError, match=r"what others have loaded into mart\.events: events of other, more of "
    ) as error:
        _load(loading, "c", "anew", refresh=True)

    assert "a table of its own" in str(error.value)
    assert _names(loading) == "ab"


def test_a_cursor_goes_on_where_the_refresh_ended(loading: Loading) -> None:
    """The watermark moves with the rows, back too; a run that moved it meanwhile is not overwritten."""
    _load(loading, "ab", "before", **_mark("9"))
    _load(loading, "abc", "anew", refresh=True, **_mark("5", since="9"))

    _load(loading, "d", "after", **_mark("6", since="5"))

    assert _names(loading) == "abcd"
    assert loading.warehouse.sql("select value, run_id from etl.watermarks") == [("6", "after")]


@pytest.mark.parametrize("more", [_mark("1"), {"files": (FILE,)}], ids=["cursor", "files"])
def test_a_run_of_before_adds_nothing_again(loading: Loading, more: dict[str, Any]) -> None:
    """Somebody clears its load: its rows are in the table already, and it is skipped."""
    _load(loading, "ab", "before", **more)
    again = _mark("2", since="1") if "watermarks" in more else more
    _load(loading, "abc", "anew", refresh=True, **again)

    with pytest.raises(NothingToDo, match="the run anew has read all anew since, with the rows of this one"):
        _load(loading, "ab", "before", **more)

    assert _names(loading) == "abc"
    _load(loading, "abc", "anew", refresh=True, **again)
    assert _names(loading) == "abc"


def test_an_interval_that_overlaps_another_is_not_appended(loading: Loading) -> None:
    """Two days in one run, after one of them, would add its rows again; the same interval replaces itself."""
    day = day_of(date(2024, 3, 1))
    both = day.model_copy(update={"end": day_of(date(2024, 3, 2)).end})
    loading.load("events", _events("a"), APPEND, interval=day, run_id="day")

    with pytest.raises(
        DataError, match="has the rows of 2024-03-01 from the run day; those of 2024-03-01 to 2024-03-02"
    ):
        loading.load("events", _events("ab"), APPEND, interval=both, run_id="both")
    loading.load("events", _events("b"), APPEND, interval=day_of(date(2024, 3, 2)), run_id="next")
    loading.load("events", _events("a"), APPEND, interval=day, run_id="again")

    assert _names(loading) == "ab"


def test_files_that_another_run_has_loaded_meanwhile_are_loaded_once(loading: Loading) -> None:
    """Two runs under way at once take the same files; the second has nothing to do."""
    _load(loading, "ab", "first", files=(FILE,))

    with pytest.raises(NothingToDo, match="the run first has loaded the same 1 files meanwhile"):
        _load(loading, "ab", "second", files=(FILE,))
    _load(loading, "ab", "first", files=(FILE,))

    assert _names(loading) == "ab"


def test_a_run_some_of_whose_files_another_run_has_loaded_is_told(loading: Loading) -> None:
    """Which rows are whose cannot be told any more, so extract has to take the other files alone."""
    _load(loading, "ab", "first", files=(FILE,))

    with pytest.raises(SpecError, match="the run first has loaded 1 of the 2 files meanwhile") as error:
        _load(loading, "abc", "second", files=(FILE, FILE.model_copy(update={"uri": "inbox/b.csv"})))

    assert "Clear extract of this run" in error.value.hint
    assert _names(loading) == "ab"
