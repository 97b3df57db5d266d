"""A dataset must fit its table, or make one; what does not fit is explained before anything is written, all at once."""

from datetime import date

import pyarrow as pa
import pytest

from etl_contract import DataError, SpecError
from etl_load._fit import fits
from etl_load._load import load_into
from tests.load.warehouse import Loading

BY_ID = {"table": "t", "mode": "upsert", "key": ["id"]}
BY_DAY = {"table": "mart.days", "mode": "partition", "partition": "day"}


def test_missing_dataset_is_told_with_what_there_is(loading: Loading) -> None:
    """A dataset that the transform does not give is named, with the nearest name and all names."""
    task = loading.task({"flights": (pa.table({"id": [1]}), BY_ID), "weather": (pa.table({"id": [1]}), BY_ID)})
    wrong = task.model_copy(update={"spec": {"flight": task.spec["flights"]}})

    with pytest.raises(SpecError) as caught:
        load_into(loading.warehouse.uri(), wrong)

    assert str(caught.value) == (
        "load.flight: there is no dataset 'flight'. Did you mean 'flights'? The transform gives: flights, weather."
    )


def test_all_problems_are_told_at_once(loading: Loading) -> None:
    """What is wrong with every target is in one message."""
    rows = pa.table({"id": [1], "day": ["2024-03-01"]})
    tables = {
        "a": (rows, {**BY_ID, "key": ["ident"]}),
        "b": (rows, {**BY_ID, "table": "etl.loads"}),
        "c": (rows, BY_DAY),
    }

    with pytest.raises(SpecError) as caught:
        load_into(loading.warehouse.uri(), loading.task(tables))

    message = str(caught.value)
    assert message.startswith("3 problems:\n")
    for part in (
        "load.a.key: there is no column 'ident'",
        "load.b.table: the schema 'etl' is",
        "load.c.partition: 'day' is of",
    ):
        assert part in message


def test_two_datasets_do_not_share_a_table(loading: Loading) -> None:
    """Two datasets for one table are refused: what is there would depend on which came last."""
    rows = pa.table({"id": [1]})

    with pytest.raises(SpecError, match=r"load\.b\.table: two datasets go into mart\.t.*load\.a loads into it already"):
        load_into(loading.warehouse.uri(), loading.task({"a": (rows, BY_ID), "b": (rows, BY_ID)}))


def test_columns_that_do_not_fit_the_table_are_listed(loading: Loading) -> None:
    """A new column, a type that does not fit and a missing value are told together, with what to do."""
    loading.warehouse.sql("create table mart.t (id bigint primary key, n integer, must text not null, gone text)")
    rows = pa.table({"id": [1], "n": [1.5], "extra": [True]})

    with pytest.raises(SpecError) as caught:
        loading.load("t", rows, {**BY_ID, "schema": "frozen"})

    assert str(caught.value) == (
        "4 problems:\n"
        "  load.t, column 'extra': mart.t has no such column. "
        "Drop it in the transform, add it (alter table mart.t add column ... boolean), or write 'schema: evolve'.\n"
        "  load.t, column 'n': it is double precision, but integer in mart.t. "
        "Convert it in the transform to integer, or write 'schema: evolve'.\n"
        "  load.t: mart.t needs a value for must, which the dataset does not have. "
        "Give them in the transform, or let the table have a default.\n"
        "  load.t: mart.t has gone, which the dataset does not have. "
        "Give them in the transform, drop them from the table, or write 'schema: evolve'."
    )


def test_columns_that_only_the_table_has_keep_their_default(loading: Loading) -> None:
    """A table may have columns that the dataset lacks: an insert gives their default, an update leaves them."""
    loading.warehouse.sql("create table mart.t (id bigint primary key, n bigint, note text default 'new')")
    loading.warehouse.sql("insert into mart.t values (1, 1, 'mine'); grant all on mart.t to load")

    loading.load("t", pa.table({"id": [1, 2], "n": [5, 6]}), BY_ID)

    assert loading.warehouse.rows("mart.t") == ["(1,5,mine)", "(2,6,new)"]


def test_narrower_values_fit_a_wider_column(loading: Loading) -> None:
    """Types that widen with no loss need no conversion by the author."""
    loading.warehouse.sql("create table mart.t (id numeric primary key, n double precision, code varchar(3))")
    loading.warehouse.sql("grant all on mart.t to load")

    loading.load("t", pa.table({"id": [2**60], "n": pa.array([7], pa.int32()), "code": ["abc"]}), BY_ID)

    assert loading.warehouse.rows("mart.t") == [f"({2**60},7,abc)"]
    wide = pa.table({"id": [1], "n": pa.array([7], pa.int32()), "code": ["abcd"]})
    with pytest.raises(DataError, match=r"load\.t: value too long for type character varying\(3\)"):
        loading.load("t", wide, {**BY_ID, "schema": "frozen"}, run_id="2")


@pytest.mark.parametrize(
    ("ours", "theirs", "fit"),
    [
        ("integer", "integer", True),
        ("smallint", "bigint", True),
        ("bigint", "integer", False),
        ("bigint", "double precision", False),
        ("integer", "real", False),
        ("bigint", "numeric", True),
        ("bigint", "numeric(18,0)", False),
        ("bigint", "numeric(21,2)", True),
        ("numeric(10,2)", "numeric(10,2)", True),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("numeric(10,2)", "numeric(11,4)", False),
        ("numeric(10,2)", "numeric", True),
        ("numeric(10,2)", "double precision", False),
        ("real", "double precision", True),
        ("text", "character varying(5)", True),
        ("text", "uuid", False),
        ("date", "timestamp without time zone", False),
        ("timestamp without time zone", "timestamp with time zone", False),
    ],
)
def test_only_lossless_conversions_are_made(ours: str, theirs: str, *, fit: bool) -> None:
    """A type fits another only if no value can change on the way."""
    assert fits(ours, theirs) is fit


def test_value_that_breaks_a_constraint_is_told_by_table(loading: Loading) -> None:
    """A constraint of the table refuses the whole load, with the constraint's name."""
    loading.warehouse.sql("create table mart.t (id bigint primary key check (id > 0)); grant all on mart.t to load")

    with pytest.raises(DataError, match=r"load\.t: .*violates check constraint \"t_id_check\""):
        loading.load("t", pa.table({"id": [1, -1]}), BY_ID)

    assert loading.warehouse.rows("mart.t") == []


def test_new_table_needs_types(loading: Loading) -> None:
    """A column without any value cannot make a column; an existing one takes it."""
    rows = pa.table({"id": [1], "note": pa.nulls(1)})

    with pytest.raises(SpecError, match="no row has a value for note, so the new table cannot know their type"):
        loading.load("t", rows, {**BY_ID, "schema": "frozen"})
    with pytest.raises(SpecError, match="no row has a value for a, b, so the new table cannot know their type"):
        loading.load("u", pa.table({"a": pa.nulls(1), "b": pa.nulls(1)}), {"table": "u", "mode": "append"})

    loading.load("t", pa.table({"id": [1], "note": ["x"]}), BY_ID)
    loading.load("t", rows, BY_ID, run_id="again")
    assert loading.warehouse.rows("mart.t") == ["(1,)"]


def test_schema_must_be_there(loading: Loading) -> None:
    """A schema that does not exist is refused, with what to do."""
    with pytest.raises(SpecError, match=r"load\.t\.table: there is no schema 'sales'\. Use 'mart', or have the schema"):
        loading.load("t", pa.table({"id": [1]}), {**BY_ID, "table": "sales.t"})


def test_schema_must_let_load_in(loading: Loading) -> None:
    """A schema in which the role may make no table is refused, with what to do."""
    with pytest.raises(SpecError, match=r"no table can be created in the schema 'public'"):
        loading.load("t", pa.table({"id": [1]}), {**BY_ID, "table": "public.t"})


def test_view_is_no_target(loading: Loading) -> None:
    """A view of the table's name is refused."""
    loading.warehouse.sql("create view mart.view_t as select 1 as id")

    with pytest.raises(SpecError, match=r"mart\.view_t is no table"):
        loading.load("t", pa.table({"id": [1]}), {**BY_ID, "table": "view_t"})


def test_table_of_another_owner_needs_a_grant(loading: Loading) -> None:
    """A table that the role may not write is a matter for a person, and nothing is left."""
    loading.warehouse.sql("create table mart.t (id bigint primary key)")

    with pytest.raises(SpecError, match=r"permission denied for table t\. Give the role 'load' the right"):
        loading.load("t", pa.table({"id": [1]}), BY_ID)

    assert loading.warehouse.staging() == []
    assert loading.warehouse.ledger() == []


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a\0b"])
def test_impossible_column_names_are_refused(loading: Loading, name: str) -> None:
    """A name that PostgreSQL would cut or cannot hold is refused, never cut in silence."""
    with pytest.raises(SpecError, match="cannot name a column"):
        loading.load("t", pa.table({"id": [1], name: [1]}), BY_ID)


def test_too_many_columns_are_refused(loading: Loading) -> None:
    """More columns than a table can have are refused before anything is written."""
    with pytest.raises(SpecError, match="5001 columns; a table has at most 1600"):
        loading.load("t", pa.table({"id": [1], **{f"c{n}": [n] for n in range(5000)}}), BY_ID)


def test_file_that_changed_is_refused(loading: Loading) -> None:
    """A Parquet file that is not the one the transform wrote is not loaded."""
    task = loading.task({"t": (pa.table({"id": [1]}), BY_ID)})
    other = task.model_copy(update={"inputs": (task.inputs[0].model_copy(update={"sha256": "0" * 64}),)})

    with pytest.raises(DataError, match="checksum"):
        load_into(loading.warehouse.uri(), other)


def test_names_of_staging_tables_never_collide_by_length(loading: Loading) -> None:
    """Pipelines and datasets with long, alike names have staging tables of their own, of at most 63 bytes."""
    day = date(2024, 3, 1)
    names = ["n" * 62 + letter for letter in "ab"]
    rows = pa.table({"id": [1], "day": [day]})

    load_into(
        loading.warehouse.uri(),
        loading.task({name: (rows, {**BY_ID, "table": name}) for name in names}, pipeline="p" * 63),
    )

    assert [loading.warehouse.rows(f"mart.{name}") for name in names] == [["(1,2024-03-01)"]] * 2
