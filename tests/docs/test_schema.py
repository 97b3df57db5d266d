"""config/pipeline.schema.json: what editors complete and underline is what the platform takes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from etl_platform._schema import FILE, MODELINE, schema, schema_text
from tests.docs.pages import PAGES, ROOT, blocks
from tests.docs.test_pipelines import _completed

SHIPPED = sorted((ROOT / "config" / "pipelines").glob("*.yaml"))
EXAMPLES = [
    pytest.param(block.text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "yaml"), start=1)
]
GOOD = "extract: {orders: {sql: source, table: orders}}\nload: {orders: {table: orders, mode: append}}\n"


class _Plain(yaml.SafeLoader):
    """Reads YAML as editors do: a date is a text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _complaints(text: str) -> list[str]:
    values: Any = yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader
    return [error.message for error in Draft202012Validator(schema()).iter_errors(values)]


def test_the_file_is_what_the_generator_prints() -> None:
    """An edit of a model reaches the editors by `setup/tools.sh python -m etl_platform schema`, into that file."""
    assert (ROOT / FILE).read_text() == schema_text()


def test_it_is_a_schema() -> None:
    """Editors can read it."""
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_pipeline_that_is_shipped_names_it_and_agrees(file: Path) -> None:
    """An editor that opens one knows its fields, and underlines nothing."""
    text = file.read_text()

    assert MODELINE in text.splitlines()[:2]  # its own name may stand above it, as in docs/first-pipeline.md
    assert _complaints(text) == []


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_docs_agrees(text: str) -> None:
    """What the docs show is not underlined when it is pasted."""
    assert _complaints(_completed(text)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sql: source", "sqll: source"),
        ("mode: append", "mode: apend"),
        ("extract:", "scheduel: 0 6 * * *\nextract:"),
        ("load:", "limits: {transform: {cpus: 0}}\nload:"),
        ("orders: {table: orders", "Orders: {table: orders"),
        ("load: {orders: {table: orders, mode: append}}\n", ""),
        ("extract:", "params: {limit: {default: 1, type: text}}\nextract:"),
    ],
)
def test_a_mistake_is_underlined(old: str, new: str) -> None:
    """An author sees it while writing, before anything runs."""
    assert _complaints(GOOD) == []
    assert _complaints(GOOD.replace(old, new)) != []


@pytest.mark.parametrize(
    "text",
    [
        "params: {limit: 10, since: 2026-01-01, note: {default: null, type: string}}\n",
        "schedule: {changed: [mart.flights]}\n",
        "limits: {load: {minutes: 5}}\n",
        "transform: [{sql: {orders: select 1}}, {pandas: 'orders.py:clean'}]\n",
    ],
)
def test_short_forms_are_allowed(text: str) -> None:
    """What the platform takes as short for something is no mistake for an editor."""
    assert _complaints(text + GOOD) == []


def test_a_text_is_a_list_of_one() -> None:
    """A key of one column needs no brackets, and neither does an index."""
    assert _complaints(GOOD.replace("mode: append", "mode: upsert, key: id, indexes: [day, [a, b]]")) == []
