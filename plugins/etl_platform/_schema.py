"""Writes config/pipeline.schema.json: the models as an editor understands them, to complete and underline."""

import json
from typing import Any

from etl_platform._pipeline import NOT_AUTHORED, Pipeline

FILE = "config/pipeline.schema.json"
# As the first line of a pipeline file, it tells the YAML language server, and so most editors, where the schema is.
MODELINE = "# yaml-language-server: $schema=../pipeline.schema.json"
_PLAIN = ("boolean", "integer", "number", "string")


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a pipeline file, with the short forms that the models take beside the whole ones."""
    models = Pipeline.model_json_schema()
    for name in NOT_AUTHORED:
        del models["properties"][name]
    parameter = models["$defs"]["Parameter"]
    parameter["required"] = ["default"]  # the type follows from it
    models["$defs"]["Parameter"] = {
        "anyOf": [parameter, {"type": list(_PLAIN)}],
        "description": parameter.pop("description"),
    }
    models["$defs"]["LoadTarget"]["properties"]["key"] = _or_one(models["$defs"]["LoadTarget"]["properties"]["key"])
    indexes = models["$defs"]["LoadTarget"]["properties"]["indexes"]
    indexes["items"] = _or_one(indexes["items"])
    plain = _without_titles(models)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **plain,
        "title": "Pipeline",
        "required": ["extract"],
        "anyOf": [{"required": ["load"]}, {"required": ["export"]}],
    }


def schema_text() -> str:
    """Write the schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def _or_one(texts: dict[str, Any]) -> dict[str, Any]:
    """Let a single text stand for a list of one."""
    around = {key: value for key, value in texts.items() if key in {"default", "description"}}
    inner = {key: value for key, value in texts.items() if key not in around}
    return {"anyOf": [inner, inner["items"]], **around}


def _without_titles(part: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - any part of a schema
    """Leave out the titles that repeat a field's name, and allow no name beside those that a pattern allows.

    Args:
        part: a part of a schema.
        names: whether its keys are names of fields, among which `title` is one.
    """
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    inner = {
        key: _without_titles(value, names=key in {"properties", "$defs"} and not names)
        for key, value in part.items()
        if names or key != "title"
    }
    return inner | ({"additionalProperties": False} if "patternProperties" in inner and not names else {})
