"""Reads JSON values so that nothing of them is lost: numbers as they are written, no name twice, no NaN."""

import json
from collections.abc import Callable
from typing import Any, NoReturn


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in an object")
    return value


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_constant, strict=True
)
_quoted: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode


def text_of(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Give a value as the text of a column: a text as it is, an object or a list as JSON."""
    return value if value is None or type(value) is str else _written(value)


def _written(value: Any) -> str:  # noqa: ANN401
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return str(value)
        case str():
            return _quoted(value)
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return "{" + ", ".join(f"{_quoted(name)}: {_written(inner)}" for name, inner in value.items()) + "}"
