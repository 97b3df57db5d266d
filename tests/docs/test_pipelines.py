"""docs/pipelines.md: generated, complete, and every example in it works."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

import etl_contract
from etl_contract import LoadMode, PandasTransform, StageError
from etl_platform import Broken, Pipeline, read_pipeline
from etl_platform._reference import PROSE, places_in, reference, schemas
from etl_platform._stages import TMP_SIZE
from etl_platform._twins import MOST_TWIN_BYTES
from etl_transform._author import load_function
from etl_visualize._warehouse import MOST_ROWS, STATEMENT_SECONDS
from tests.docs.pages import PIPELINES, README, ROOT, Block, blocks
from tests.transform.running import NEW_YEAR, Stage

EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in (README, PIPELINES)
    for number, block in enumerate(blocks(page, "yaml"), start=1)
]
TWINS = [
    block
    for page in (README, PIPELINES)
    for language in ("python", "sql")
    for block in blocks(page, language)
    if block.file
]
FUNCTIONS = [twin for twin in TWINS if twin.language == "python"]
TRANSFORMS = [
    block
    for page in (README, PIPELINES)
    for block in blocks(page, "yaml")
    # flights.py has tests of its own: tests/transform/test_flights.py
    if "transform:\n" in block.text and "flights.py" not in block.text
]
# Rows as extract gives them, of every dataset that an example takes.
ROWS = {
    "flights": pa.table(
        {
            "carrier": ["AA", "AA", "UA", "B6"],
            "origin": ["JFK", "JFK", "EWR", "JFK"],
            "flight": pa.array([1, 2, 3, 4], pa.int32()),
            "dep_delay": pa.array([20, 3, 15, None], pa.int32()),
            "time_hour": pa.array([NEW_YEAR.start] * 4, pa.timestamp("us", "UTC")),
        }
    ),
    "orders": pa.table(
        {
            "id": [1, 2],
            "customer_id": [7, 7],
            "day": pa.array([NEW_YEAR.first_day] * 2, pa.date32()),
            "cents": [100_050, 2],
        }
    ),
    "customers": pa.table({"customer_id": [7], "name": ["Ada"]}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with every twin that the examples name."""
    for twin in (ROOT / "config" / "pipelines").glob("*.py"):
        shutil.copy(twin, tmp_path)
    for block in TWINS:
        (tmp_path / str(block.file)).write_text(block.text)
    return tmp_path


def test_the_page_is_what_the_generator_prints() -> None:
    """An edit of a model or of the prose reaches the page: setup/tools.sh python -m etl_platform reference."""
    assert PIPELINES.read_text() == f"{reference()}\n"


def test_every_model_has_its_table() -> None:
    """Nothing that an author may write is missing on the page."""
    models = {name for name, model in schemas().items() if "properties" in model}

    assert set(places_in(PROSE.read_text())) == models


@pytest.mark.parametrize("name", [name for name, model in schemas().items() if "properties" in model])
def test_every_field_is_described(name: str) -> None:
    """A field without a description is a field that nobody can find out about."""
    fields: dict[str, Any] = schemas()[name]["properties"]

    assert [field for field, schema in fields.items() if not schema.get("description")] == []


def test_every_field_is_shown_in_an_example() -> None:
    """An author may copy each field from a place where it works."""
    shown = {key for block in blocks(PIPELINES, "yaml") for key in _keys(yaml.safe_load(block.text))}
    fields = {field for model in schemas().values() for field in model.get("properties", {})}

    assert fields - shown == set()


@pytest.mark.parametrize("block", EXAMPLES)
def test_every_example_is_a_pipeline_without_problems(block: Block, folder: Path) -> None:
    """What the docs show can be pasted; a part of a file is read with the least that makes it whole."""
    file = folder / (block.file or "example.yaml")
    file.write_text(_completed(block.text))

    pipeline = read_pipeline(file)

    assert isinstance(pipeline, Pipeline), str(pipeline)


@pytest.mark.parametrize("block", FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_every_function_runs(block: Block) -> None:
    """The functions that the docs show take rows as extract gives them, and return what load takes."""
    functions = [line.partition("(")[0].removeprefix("def ") for line in block.text.splitlines() if line[:4] == "def "]
    function = load_function(PandasTransform(pandas=f"{block.file}:{functions[-1]}"), {str(block.file): block.text})
    wanted = function.arguments(ROWS)

    produced = function({name: ROWS[name].to_pandas(types_mapper=pd.ArrowDtype) for name in wanted}, NEW_YEAR)

    assert all(len(frame) for frame in produced.values())


@pytest.mark.parametrize("block", TRANSFORMS, ids=range(len(TRANSFORMS)))
def test_every_transform_runs(block: Block, folder: Path, tmp_path: Path) -> None:
    """Queries, functions in batches and several steps make rows of rows."""
    file = folder / (block.file or "example.yaml")
    file.write_text(_completed(block.text))
    pipeline = read_pipeline(file)
    assert isinstance(pipeline, Pipeline), str(pipeline)
    stage = Stage(tmp_path / "run", **ROWS)
    stage.params = dict(pipeline.params)

    result = stage.run(pipeline.model_dump(mode="json")["transform"], pipeline.files)

    assert {dataset.name for dataset in result.datasets} >= set(pipeline.load or pipeline.export)
    assert all(dataset.rows for dataset in result.datasets)


def test_the_problems_that_the_page_shows_are_told_so(tmp_path: Path) -> None:
    """The words are those that an author meets."""
    wrong, told = (block.text for block in blocks(PIPELINES, "text")[:2])
    (tmp_path / "orders.yaml").write_text(wrong)

    broken = read_pipeline(tmp_path / "orders.yaml")

    assert isinstance(broken, Broken)
    assert f"{broken}\n" == told


def test_every_mode_and_error_is_explained() -> None:
    """A new mode, and a new error for authors, comes with its words."""
    text = PIPELINES.read_text()
    errors = [name for name in etl_contract.__all__ if _is_error(getattr(etl_contract, name))]

    assert [mode for mode in LoadMode if f"\n### {mode}\n" not in text] == []
    assert [name for name in errors if f"| `{name}` |" not in text] == []


def test_figures_are_those_that_hold() -> None:
    """What is at most allowed stands on the page as it stands in the code."""
    limits = yaml.safe_load((ROOT / "config" / "docker_guard.yaml").read_text())["limits"]
    text = PIPELINES.read_text()

    assert f"More than `{limits['memory']}` and `{limits['cpus']}` cores is refused" in text
    assert f"may have {MOST_TWIN_BYTES // 1024} KiB" in text
    assert f"`/tmp` ({TMP_SIZE.removesuffix('m')} MB, in memory)" in text
    assert (
        f"A query may take {STATEMENT_SECONDS} seconds; a chart with more than {MOST_ROWS:,} rows is not drawn" in text
    )


def _completed(text: str) -> str:
    """Give a part of a file its extract and load, where it has none."""
    there = yaml.safe_load(text)
    names = list(there.get("load", there.get("export", there.get("extract", {"flights": None}))))
    if "extract" not in there:
        text += f"extract: {{{', '.join(f'{name}: {{sql: source, table: {name}}}' for name in names)}}}\n"
    if "load" not in there and "export" not in there:
        text += f"load: {{{', '.join(f'{name}: {{table: {name}, mode: upsert, key: [id]}}' for name in names)}}}\n"
    return text


def _keys(value: Any) -> set[str]:  # noqa: ANN401 - any YAML
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    return {*value, *(key for item in value.values() for key in _keys(item))} if isinstance(value, dict) else set()


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, StageError) and value is not StageError
