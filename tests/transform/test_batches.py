"""Functions over batches: each row comes once, memory stays flat, and columns agree."""

from pathlib import Path

import pyarrow as pa
import pytest

from etl_contract import SpecError
from tests.transform.running import Stage

ROWS = pa.table({"id": pa.array(range(10), pa.int64()), "shop": ["a", "b"] * 5})
SHOPS = pa.table({"shop": ["a", "b"], "city": ["Paris", "Lyon"]})


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Give a stage with ten orders of two shops."""
    return Stage(tmp_path, orders=ROWS, shops=SHOPS)


def _run(stage: Stage, code: str, **fields: object) -> pa.Table:
    result = stage.run({"pandas": "orders.py:clean", "batches": 4, **fields}, {"orders.py": code})
    return stage.rows(result, "out")


def test_every_row_comes_once_in_batches_of_the_first_parameter(stage: Stage) -> None:
    """Others are whole in every call, and what is returned is appended in order."""
    code = (
        "def clean(orders, shops):\n"
        "    named = orders.merge(shops, on='shop', how='left')\n"
        "    return {'out': named.assign(n=len(orders), m=len(shops))}\n"
    )

    rows = _run(stage, code)

    assert sorted(rows["id"].to_pylist()) == list(range(10))
    assert rows["n"].to_pylist() == [4] * 4 + [4] * 4 + [2] * 2
    assert set(rows["m"].to_pylist()) == {2}


def test_another_dataset_may_come_in_batches(stage: Stage) -> None:
    """`batches_of` names it."""
    code = "def clean(shops, orders):\n    return {'out': orders.assign(shops=len(shops))}\n"

    assert _run(stage, code, batches_of="orders")["shops"].to_pylist() == [2] * 10


def test_batches_have_their_size_whatever_the_file_is_like(tmp_path: Path) -> None:
    """A row group of the file is no end of a batch."""
    many = 3 * 65_536 + 10
    stage = Stage(tmp_path, orders=pa.table({"id": range(many)}))
    code = "def clean(orders):\n    return {'out': orders.agg({'id': ['size']}).astype('int64')}\n"

    assert _run(stage, code, batches=100_000)["id"].to_pylist() == [100_000, many - 100_000]


def test_what_a_call_does_to_the_others_the_next_does_not_see(stage: Stage) -> None:
    """A function that changes its whole datasets in place does not pile its changes up."""
    code = (
        "def clean(orders, shops):\n"
        "    shops['visits'] = shops.get('visits', 0) + 1\n"
        "    shops.loc[0, 'city'] = 'Rome'\n"
        "    return {'out': shops}\n"
    )

    assert _run(stage, code)["visits"].to_pylist() == [1] * 6


def test_without_rows_there_is_one_call(tmp_path: Path) -> None:
    """An empty day makes its datasets, with their columns."""
    stage = Stage(tmp_path, orders=ROWS.slice(0, 0))

    rows = _run(stage, "def clean(orders):\n    return {'out': orders.assign(n=1)}\n")

    assert (rows.num_rows, rows.schema.names) == (0, ["id", "shop", "n"])


def test_a_text_is_a_text(stage: Stage) -> None:
    """Arrow has two types of text, and pandas uses both."""
    code = "def clean(orders):\n    return {'out': orders.astype({'shop': 'str'}) if orders['id'].min() else orders}\n"

    assert _run(stage, code)["shop"].to_pylist() == ["a", "b"] * 5


def test_a_column_without_a_value_has_the_type_of_the_others(stage: Stage) -> None:
    """A batch in which everything is missing fits."""
    code = "def clean(orders):\n    return {'out': orders.assign(x=None if orders['id'].min() else 'first')}\n"

    assert _run(stage, code)["x"].to_pylist() == ["first"] * 4 + [None] * 6


@pytest.mark.parametrize(
    ("changing", "told"),
    [
        (
            "orders.assign(x=1 if orders['id'].min() == 0 else 'one')",
            "batch 2 has x large_string where those before have x int64.",
        ),
        (
            "orders.assign(x=None if orders['id'].min() == 0 else 'one')",
            "batch 2 has x large_string where those before have x null.",
        ),
        (
            "orders if orders['id'].min() == 0 else orders.assign(x=1)",
            "batch 2 has x int64 where those before have nothing.",
        ),
        (
            "orders if orders['id'].min() == 0 else orders[['id']]",
            "batch 2 has nothing else where those before have shop string.",
        ),
        (
            "orders if orders['id'].min() == 0 else orders[['shop', 'id']]",
            "batch 2 has its columns in another order.",
        ),
    ],
)
def test_columns_that_change_between_batches_are_told(stage: Stage, tmp_path: Path, changing: str, told: str) -> None:
    """What is returned later must be like what is written already; nothing is left of it otherwise."""
    with pytest.raises(SpecError) as error:
        _run(stage, f"def clean(orders):\n    return {{'out': {changing}}}\n")

    hint = "Give the columns the same types in every batch, such as with astype()."
    assert str(error.value) == f"transform, dataset out: {told} {hint}"
    assert list((tmp_path / "transform").iterdir()) == []


def test_a_dataset_that_the_function_does_not_take_cannot_come_in_batches(stage: Stage) -> None:
    """It is told before a row is read."""
    with pytest.raises(SpecError) as error:
        _run(stage, "def clean(orders):\n    return {'out': orders}\n", batches_of="shops")

    assert str(error.value) == (
        "config/pipelines/orders.py, line 1: clean takes no 'shops' to come in batches. It takes: orders."
    )


def test_a_function_of_all_datasets_must_say_which(stage: Stage) -> None:
    """`**datasets` has no first."""
    with pytest.raises(SpecError, match="to come in batches"):
        _run(stage, "def clean(**datasets):\n    return {'out': datasets['orders']}\n")


def test_batches_of_a_function_of_all_datasets(stage: Stage) -> None:
    """With a name it works, too."""
    code = "def clean(**datasets):\n    return {'out': datasets['orders'].assign(n=len(datasets))}\n"

    assert _run(stage, code, batches_of="orders")["n"].to_pylist() == [2] * 10
