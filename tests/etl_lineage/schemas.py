"""Validates events by OpenLineage's own schemas, formats included, and each facet by the schema that it names."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parent / "openlineage"


@cache
def _registry() -> Registry[Any]:
    schemas = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    return Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)


def complaints(event: dict[str, Any]) -> list[str]:
    """Give what is not as OpenLineage's schemas want it, with its place; nothing where all is well."""
    parts = [("", event), *_facets(event, "")]
    return [
        f"{place or 'event'}: {error.json_path}: {error.message}"
        for place, part in parts
        for error in _validator(part["schemaURL"] if place == "" else part["_schemaURL"]).iter_errors(part)
    ]


@cache
def _validator(schema: str) -> Draft202012Validator:
    validator = Draft202012Validator(
        {"$ref": schema}, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    assert {"date-time", "uri", "uuid"} <= validator.format_checker.checkers.keys()  # type: ignore[union-attr]
    return validator


def _facets(part: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - any JSON
    """Find what names a schema of its own, however deep."""
    if isinstance(part, dict):
        for key, value in part.items():
            inner = f"{place}.{key}" if place else key
            if isinstance(value, dict) and "_schemaURL" in value:
                yield inner, value
            yield from _facets(value, inner)
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _facets(value, f"{place}[{number}]")
