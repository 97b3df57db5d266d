"""Sources on their way from the pipeline's file into a container."""

import pytest
import yaml
from pydantic import TypeAdapter

from etl_contract import Source
from tests.docs.pages import PIPELINES, blocks

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
SOURCES = [
    source
    for block in blocks(PIPELINES, "yaml")
    for source in (yaml.safe_load(block.text).get("extract") or {}).values()
]


@pytest.mark.parametrize("source", SOURCES, ids=range(len(SOURCES)))
def test_a_source_arrives_as_it_was_written(source: dict[str, object]) -> None:
    """A task carries every source that the docs show, through JSON."""
    written = SOURCE.validate_python(source)

    assert SOURCE.validate_json(SOURCE.dump_json(written)) == written
