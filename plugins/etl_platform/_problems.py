"""Says what is wrong with a pipeline file, by line, in words that its author can act on."""

import difflib
from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing to mend: its line in the file, the path of the value, and what is wrong with it."""

    line: int
    path: Path
    message: str

    def __str__(self) -> str:
        """Print it as `line 4, extract.orders: what is wrong`."""
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in self.path)
        return f"line {self.line}{', ' + place if place else ''}: {self.message}"


def report(file: str, problems: Iterable[Problem]) -> str:
    """Print all problems of a file, and what to do next."""
    lines = [f"  {problem}" for problem in sorted(problems)]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    closing = "  Every field is described in docs/pipelines.md. To check again: make check"
    return "\n".join([f"{file} has {count}:", *lines, closing])


def problems_of(error: ValidationError, lines: dict[Path, int], fields: Iterable[str]) -> list[Problem]:
    """Turn a model's complaints into problems by line.

    Args:
        error: what the model said.
        lines: the line of each value in the file.
        fields: every field's name, for a better guess at a misspelt one.
    """
    known = list(fields)
    return [_problem(detail, lines, known) for detail in error.errors(include_url=False)]


def guess(word: str, words: Iterable[str]) -> str:
    """Suggest the word that was meant, or say nothing."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean '{close[0]}'?" if close and close[0] != word else ""


def _problem(detail: ErrorDetails, lines: dict[Path, int], fields: list[str]) -> Problem:
    # What stands in brackets is pydantic's own: a key, or the model that a section's kind chose.
    path = tuple(part for part in detail["loc"] if not str(part).startswith("["))
    message = _message(detail, path, fields)
    field, colon, rest = message.partition(": ")
    if detail["type"] == "value_error" and colon and field in fields:
        path, message = (*path, field), rest
    return Problem(_line(path, lines), path, message)


def _line(path: Path, lines: dict[Path, int]) -> int:
    """Give the line of the value, or of what it should stand in."""
    for length in range(len(path), -1, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _message(detail: ErrorDetails, path: Path, fields: list[str]) -> str:
    value: Any = detail["input"]
    match detail["type"]:
        case "missing":
            return "required, but not there"
        case "extra_forbidden":
            return f"no such field{guess(str(path[-1]), fields)}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "enum":
            wanted = detail["ctx"]["expected"]
            words = wanted.replace("'", "").replace(" or ", ", ").split(", ")
            return f"'{value}' is none of {wanted}{guess(str(value), words)}"
        case _ if isinstance(value, dict | list):
            return detail["msg"]
        case _:
            return f"{detail['msg']}, not {value!r}"
