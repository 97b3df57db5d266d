"""Writes docs/pipelines.md: the prose of _reference.md, with the models' fields where it asks for them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import TypeAdapter

from etl_contract import Name, TableName
from etl_platform._pipeline import NOT_AUTHORED, Pipeline

PROSE = Path(__file__).with_name("_reference.md")
NOTICE = (
    "<!-- Generated from the models: edit plugins/etl_platform/_reference.md or a field's description, then run "
    "setup/tools.sh python -m etl_platform reference >docs/pipelines.md -->"
)

Schema = Mapping[str, Any]
_ANYTHING = {"$ref": "#/$defs/JsonValue"}
_HEADING = re.compile(r"^#+ (.+)$")
_PLACE = re.compile(r"^<!-- fields of an? ([\w ]+): (\w+) -->$")
_PATTERNS = {
    TypeAdapter(Name).json_schema()["pattern"]: "name",
    TypeAdapter(TableName).json_schema()["pattern"]: "table",
}


class Place(NamedTuple):
    """Where the prose asks for a model's fields: what it calls such a thing, and the heading above."""

    noun: str
    anchor: str

    def __str__(self) -> str:
        """Write a link to it."""
        return f"[{self.noun}](#{self.anchor})"


def reference() -> str:
    """Write the page.

    Raises:
        KeyError: a model has no place in the prose, or a field has no description.
    """
    models = schemas()
    prose = PROSE.read_text(encoding="utf-8")
    places = places_in(prose)
    tables = {name: _table(models[name], models, places) for name in places}
    lines = [tables[match[2]] if (match := _PLACE.match(line)) else line for line in prose.splitlines()]
    return "\n".join([NOTICE, "", *lines])


def schemas() -> dict[str, Schema]:
    """Give the JSON Schema of every model that a file is made of, by name, with the fields that authors write."""
    schema = Pipeline.model_json_schema()
    models = {name: model for name, model in schema["$defs"].items() if model}
    fields = {name: field for name, field in schema["properties"].items() if name not in NOT_AUTHORED}
    return {"Pipeline": {**schema, "properties": fields}, **models}


def places_in(prose: str) -> dict[str, Place]:
    """Find where the prose asks for which model's fields."""
    places: dict[str, Place] = {}
    anchor = ""
    for line in prose.splitlines():
        if heading := _HEADING.match(line):
            anchor = re.sub(r"[^\w -]", "", heading[1].lower()).replace(" ", "-")
        elif place := _PLACE.match(line):
            places[place[2]] = Place(place[1], anchor)
    return places


def _table(model: Schema, models: Mapping[str, Schema], places: Mapping[str, Place]) -> str:
    required = model.get("required", ())
    rows = ["| field | is | default | says |", "|---|---|---|---|"]
    # What must be there comes first; a section's kind is of it.
    for name, field in sorted(model["properties"].items(), key=lambda item: item[0] not in required):
        default = "required" if name in required else _default(field.get("default"))
        rows.append(f"| `{name}` | {' or '.join(_kinds(field, models, places))} | {default} | {field['description']} |")
    return "\n".join(rows)


def _default(value: Any) -> str:  # noqa: ANN401 - any default
    """Write a default as an author would; what is empty, or stands in a table of its own, needs no words."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
        return "below"
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return f"`{text.removesuffix('...\n').strip().strip("'")}`"


def _kinds(  # noqa: PLR0911 - a kind a line
    field: Schema, models: Mapping[str, Schema], places: Mapping[str, Place]
) -> list[str]:
    """Say in words what may stand there, a word a kind."""
    if choices := field.get("anyOf", field.get("oneOf")):
        return [word for kind in choices if kind != {"type": "null"} for word in _kinds(kind, models, places)]
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return [f"`{word}`" for word in models[name].get("enum", ())] or [f"{places[name]}"]
    match field["type"]:
        case "string":
            return ["date" if field.get("format") == "date" else _PATTERNS.get(field.get("pattern", ""), "text")]
        case "integer" | "number":
            return [_range("whole number" if field["type"] == "integer" else "number", field)]
        case "boolean":
            return ["`true`", "`false`"]
        case "array":
            return [f"list of {_many(_kinds(field['items'], models, places))}"]
    values: Schema = next(iter(field.get("patternProperties", {}).values()), field.get("additionalProperties", {}))
    return ["mapping"] if values == _ANYTHING else [f"{_many(_kinds(values, models, places))} by name"]


def _many(words: list[str]) -> str:
    parts = (word.replace("list of", "lists of").partition(",") for word in words)
    return " or ".join(f"{noun}{'' if 'lists of' in noun else 's'}{comma}{rest}" for noun, comma, rest in parts)


def _range(noun: str, field: Schema) -> str:
    above, least, most = (field.get(key) for key in ("exclusiveMinimum", "minimum", "maximum"))
    parts = [
        *([f"above {above}"] if above is not None else []),
        *([f"at least {least}"] if least is not None and most is None else []),
        *([f"{least} to {most}"] if least is not None and most is not None else []),
        *([f"at most {most}"] if least is None and most is not None else []),
    ]
    return ", ".join([noun, *parts])
