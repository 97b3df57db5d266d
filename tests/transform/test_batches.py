"""Functions over batches: each row comes once, memory stays flat, and columns agree."""

import os
import subprocess
import sys
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


PEAK = """
import sys
from pathlib import Path
from etl_contract import TransformTask
from etl_transform.__main__ import transform
transform(TransformTask.model_validate_json(sys.argv[1]))
print(*(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""  # not ru_maxrss, which a process takes over from the one that starts it


@pytest.mark.parametrize(
    "last", ["1", "'value' if orders['id'].max() == {last} else None"], ids=["plain", "late value"]
)
def test_memory_stays_flat(tmp_path: Path, last: str) -> None:
    """Ten times the rows take hardly more memory, also where a column has no value before the last batch."""
    few, many = (_peak(tmp_path / str(rows), rows, last.format(last=rows - 1)) for rows in (60_000, 600_000))

    assert many < 1.6 * few


def _peak(folder: Path, rows: int, value: str) -> int:
    text = os.urandom(200 * rows).hex()
    texts = pa.array([text[start : start + 400] for start in range(0, len(text), 400)])
    stage = Stage(folder, orders=pa.table({"id": range(rows), "text": texts}))
    code = f"def clean(orders):\n    return {{'out': orders.assign(x={value})}}\n"
    task = stage.task({"pandas": "orders.py:clean", "batches": 5_000}, {"orders.py": code})
    program = [sys.executable, "-c", PEAK, task.model_dump_json()]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def test_without_rows_there_is_one_call(tmp_path: Path) -> None:
    """An empty day makes its datasets, with their columns."""
    stage = Stage(tmp_path, orders=ROWS.slice(0, 0))

    rows = _run(stage, "def clean(orders):\n    return {'out': orders.assign(n=1)}\n")

    assert (rows.num_rows, rows.schema.names) == (0, ["id", "shop", "n"])


def test_a_text_is_a_text(stage: Stage) -> None:
    """Arrow has two types of text, and pandas uses both."""
    code = "def clean(orders):\n    return {'out': orders.astype({'shop': 'str'}) if orders['id'].min() else orders}\n"

    assert _run(stage, code)["shop"].to_pylist() == ["a", "b"] * 5


WITHOUT_VALUE = [
    ("'a' if first == 0 else None", ["a"] * 4 + [None] * 6, pa.large_string()),
    ("'a' if first == 4 else None", [None] * 4 + ["a"] * 4 + [None] * 2, pa.large_string()),
    ("'a' if first == 8 else None", [None] * 8 + ["a"] * 2, pa.large_string()),
    ("first + 2**60 if first else None", [None] * 4 + [2**60 + 4] * 4 + [2**60 + 8] * 2, pa.int64()),
    (
        "[[['a', None] if first else []]] * len(orders)",
        [[[]]] * 4 + [[["a", None]]] * 6,
        pa.list_(pa.list_(pa.string())),
    ),
    ("None", [None] * 10, pa.null()),
]


@pytest.mark.parametrize(("value", "values", "kind"), WITHOUT_VALUE)
def test_a_column_without_a_value_has_the_type_of_the_others(
    stage: Stage, tmp_path: Path, value: str, values: list[object], kind: pa.DataType
) -> None:
    """A batch in which everything is missing fits, whichever it is, as in one frame of all rows."""
    code = f"def clean(orders):\n    first = orders['id'].min()\n    return {{'out': orders.assign(x={value})}}\n"

    rows = _run(stage, code)

    assert rows["x"].to_pylist() == values
    assert rows["id"].to_pylist() == list(range(10))
    assert rows.schema.field("x").type == kind
    assert _left(tmp_path) == ["out.parquet"]


def test_columns_get_their_values_one_after_the_other(tmp_path: Path) -> None:
    """Whatever is written until then: rows of many groups keep their values and their order."""
    many = 300_000
    stage = Stage(tmp_path, orders=pa.table({"id": pa.array(range(many), pa.int64())}))
    code = (
        "def clean(orders):\n"
        "    first = orders['id'].min()\n"
        "    return {'out': orders.assign(x=1 if first else None, y='y' if first >= 250_000 else None)}\n"
    )

    rows = _run(stage, code, batches=50_000)

    assert rows["id"].to_pylist() == list(range(many))
    assert rows["x"].to_pylist() == [None] * 50_000 + [1] * 250_000
    assert rows["y"].to_pylist() == [None] * 250_000 + ["y"] * 50_000


@pytest.mark.parametrize(
    ("changing", "told"),
    [
        (
            "orders.assign(x=1 if orders['id'].min() == 0 else 'one')",
            "batch 2 has x large_string where those before have x int64.",
        ),
        (
            "orders.assign(x=None if orders['id'].min() == 0 else 'one', y='one' if orders['id'].min() == 8 else 1)",
            "batch 3 has y large_string where those before have y int64.",
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
    assert _left(tmp_path) == []


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


def _left(folder: Path) -> list[str]:
    return [path.name for path in (folder / "transform").iterdir()]
