"""Mode append adds an interval's rows once, whoever loads them and however often."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, LoadTask, SpecError, TakenFile, Watermark
from etl_load._load import load_into
from tests.load.warehouse import Loading, day_of

EVENTS = {"table": "events", "mode": "append"}
FIRST, SECOND = date(2024, 3, 1), date(2024, 3, 2)


def events(*names: str) -> pa.Table:
    """Make a row for each name."""
    return pa.table({"name": pa.array(names, pa.string())})


def names(loading: Loading) -> list[str]:
    """Give the names that are there."""
    return [name for (name,) in loading.warehouse.sql("select name from mart.events order by 1")]


def test_equal_rows_of_an_interval_are_all_kept(loading: Loading) -> None:
    """Rows need no key: two that are equal are two."""
    loading.load("events", events("a", "a"), EVENTS)

    assert names(loading) == ["a", "a"]


def test_interval_loaded_again_replaces_its_own_rows_only(loading: Loading) -> None:
    """Another run of an interval takes the place of its earlier rows; other intervals' stay, also where equal."""
    loading.load("events", events("a", "b"), EVENTS)
    loading.load("events", events("a"), EVENTS, interval=day_of(SECOND), run_id="second")

    (load,) = loading.load("events", events("b", "c", "d"), EVENTS, run_id="manual").loads

    assert (load.rows_inserted, load.rows_deleted) == (3, 2)
    assert names(loading) == ["a", "b", "c", "d"]


def test_rows_that_others_put_there_stay(loading: Loading) -> None:
    """Another pipeline, another dataset and people may add to the same table; nobody's rows are anyone else's."""
    loading.load("events", events("mine"), EVENTS)
    loading.load("events", events("theirs"), EVENTS, pipeline="other")
    loading.load("more", events("more"), EVENTS)
    loading.warehouse.sql("insert into mart.events (name) values ('by hand')")

    loading.load("events", events(), EVENTS, run_id="again")

    assert names(loading) == ["by hand", "more", "theirs"]


def test_run_that_follows_a_cursor_adds_what_is_new(loading: Loading) -> None:
    """After a cursor has moved, the same interval gives other rows: they are added; the same file is not, again."""
    mark = Watermark(source="events", field="updated_at", value="2024-03-01T00:00:00+00:00", cursor=True)
    first, more = (
        loading.task({"events": (events(*given), EVENTS)}).model_copy(update={"watermarks": (mark,)})
        for given in ("ab", "cd")
    )
    for task in (first, first, more, more):
        load_into(loading.warehouse.uri(), task)

    assert names(loading) == ["a", "b", "c", "d"]


def test_files_that_are_taken_once_are_added_once(loading: Loading) -> None:
    """A run that takes files adds their rows, in an interval that has rows of others, and again does not."""
    file = TakenFile(source="events", uri="file:///inbox/b.csv", bytes=2, sha256="0" * 64)
    loading.load("events", events("a"), EVENTS)
    task = loading.task({"events": (events("b"), EVENTS)}).model_copy(update={"files": (file,)})

    for _ in range(2):
        load_into(loading.warehouse.uri(), task)

    assert names(loading) == ["a", "b"]


def _with_a_file(task: LoadTask, **about: Any) -> LoadTask:  # noqa: ANN401 - fields of the task
    """Let a run have taken a file of its own for the source `clicks`."""
    file = TakenFile(source="clicks", uri=f"inbox/{task.run_id}.csv", bytes=2, sha256="0" * 64)
    return task.model_copy(update={"files": (file,), **about})


def test_interval_beside_files_replaces_its_own_rows(loading: Loading) -> None:
    """A run of the same interval with a new file reads the interval's rows again, and only the file's are new."""
    for run_id in "xy":
        tables = {"visits": (events("a", "b"), EVENTS), "clicks": (events(run_id), {**EVENTS, "table": "clicks"})}
        task = _with_a_file(loading.task(tables, run_id=run_id), again=("visits",))
        load_into(loading.warehouse.uri(), task)

    assert names(loading) == ["a", "b"]
    assert loading.warehouse.sql("select name from mart.clicks order by 1") == [("x",), ("y",)]


def test_interval_beside_files_refuses_another_that_overlaps(loading: Loading) -> None:
    """A run about a week that takes a new file would add the rows of its days again."""
    visits = {"visits": (events("a"), EVENTS)}
    load_into(loading.warehouse.uri(), _with_a_file(loading.task(visits), again=("visits",)))
    week = _with_a_file(loading.task(visits, interval=day_of(FIRST, days=7), run_id="week"), again=("visits",))

    with pytest.raises(DataError, match="would add some of them again"):
        load_into(loading.warehouse.uri(), week)

    assert names(loading) == ["a"]


def test_what_is_made_of_an_interval_and_of_files_is_loaded_once_an_interval(loading: Loading) -> None:
    """Nobody can tell its rows apart: another run of the interval, or the same with other rows, is refused."""
    first, again, other, later = (
        _with_a_file(loading.task({"events": (events(*given), EVENTS)}, run_id=run, interval=day_of(day)), mixed=True)
        for given, run, day in (("ab", "1", FIRST), ("ac", "1", FIRST), ("ad", "2", FIRST), ("ae", "3", SECOND))
    )
    for task in (first, first, later):
        load_into(loading.warehouse.uri(), task)

    for task in (again, other):
        with pytest.raises(DataError, match="has the rows of 2024-03-01 from the run 1; ") as caught:
            load_into(loading.warehouse.uri(), task)
        assert "use mode upsert" in caught.value.hint
    assert names(loading) == ["a", "a", "b", "e"]


def test_document_that_is_read_whole_replaces_itself(loading: Loading) -> None:
    """What a web server names a version of is read whole: a new version of the interval replaces the old."""
    mark = Watermark(source="events", field="etag", value='"7"')
    for given in ("ab", "bc"):
        task = loading.task({"events": (events(*given), EVENTS)}).model_copy(update={"watermarks": (mark,)})
        load_into(loading.warehouse.uri(), task)

    assert names(loading) == ["b", "c"]


def test_batches_are_found_without_reading_the_table(loading: Loading) -> None:
    """A new table has a small index of its batches."""
    loading.load("events", events("a"), EVENTS)

    found = loading.warehouse.sql("select indexdef from pg_indexes where tablename = 'events'")
    assert found == [("CREATE INDEX events__etl_batch_idx ON mart.events USING brin (_etl_batch)",)]


def test_key_refuses_rows_that_are_there(loading: Loading) -> None:
    """With a key, a row that another interval has brought fails the load, and nothing is added."""
    keyed = {**EVENTS, "key": "name"}
    loading.load("events", events("a", "b"), keyed)

    with pytest.raises(DataError, match=r'load\.events: duplicate key .*"events_pkey".*\(name\)=\(b\) already exists'):
        loading.load("events", events("c", "b"), keyed, interval=day_of(SECOND), run_id="second")

    assert names(loading) == ["a", "b"]


def test_name_of_the_batch_is_taken(loading: Loading) -> None:
    """A dataset's column cannot have the name of the mode's own."""
    rows = events("a").append_column("_etl_batch", pa.array([1]))

    with pytest.raises(SpecError, match="mode 'append' has a column of the name '_etl_batch' of its own"):
        loading.load("events", rows, EVENTS)


def test_narrower_numbers_go_straight_into_wider_columns(loading: Loading) -> None:
    """Every type that a column takes is encoded as the column has it."""
    loading.warehouse.sql("""
        create table mart.events (a bigint, b double precision, c numeric, d numeric(30,4), e double precision,
                                  f varchar(5), g numeric(25,3), h integer, _etl_batch uuid);
        alter table mart.events owner to load
    """)
    rows = pa.table(
        {
            "a": pa.array([-7, None], pa.int16()),
            "b": pa.array([2**31 - 1, None], pa.int32()),
            "c": pa.array([2**63 - 1, -(2**63)], pa.int64()),
            "d": pa.array([2**63 - 1, None], pa.int64()),
            "e": pa.array([0.5, None], pa.float32()),
            "f": pa.array(["é" * 5, None]),
            "g": pa.array([2**64 - 1, None], pa.uint64()),
            "h": pa.nulls(2),
        }
    )

    loading.load("events", rows, EVENTS)

    assert loading.warehouse.sql("select a, b, c::text, d::text, e, f, g::text, h from mart.events order by a") == [
        (-7, 2.0**31 - 1, f"{2**63 - 1}", f"{2**63 - 1}.0000", 0.5, "é" * 5, f"{2**64 - 1}.000", None),
        (None, None, f"{-(2**63)}", None, None, None, None, None),
    ]


def test_value_that_a_column_does_not_take_is_told_with_its_row(loading: Loading) -> None:
    """A text that is too long names row, column and value, and the table stays as it was."""
    loading.warehouse.sql(
        "create table mart.events (name varchar(3), _etl_batch uuid); grant all on mart.events to load"
    )

    with pytest.raises(DataError) as caught:
        loading.load("events", events("abc", "abcd"), {**EVENTS, "schema": "frozen"})

    assert str(caught.value) == (
        "load.events, row 2, column 'name': 'abcd': value too long for type character varying(3). "
        "Correct the rows in the transform."
    )
    assert names(loading) == []
