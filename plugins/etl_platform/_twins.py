"""Reads the author's files that a transform names: the functions of a .py, the statements of a .sql."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from etl_platform._problems import Path, Problem, guess

# A task travels in one environment variable (docs/decisions/the-dag-carries-the-code.md), and Linux takes no longer one
# than 128 KiB.
MOST_TWIN_BYTES = 96 * 1024

_SQL_FILE = re.compile(r"[\w-]+\.sql")
_OUTPUT = re.compile(
    r"""
    (?: '(?:[^']|'')*' | --[^\n]* | /\*.*?\*/ )
    | \bcreate\s+ (?:or\s+replace\s+)? table\s+ (?:if\s+not\s+exists\s+)? "?(\w+)"? \s+as\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def read_twins(
    folder: FilePath, values: Mapping[str, Any], lines: Mapping[Path, int]
) -> tuple[dict[str, str], list[Problem]]:
    """Read each file that a step of the transform names, once, and look for what it names there."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path, name, function in _named(values.get("transform")):
        text, problem = _read(folder, name)
        if text is not None and problem is None:
            problem = _python_problem(name, text, function) if function else _sql_problem(name, text)
        if text is not None:
            files[name] = text
        if problem is not None:
            problems.append(Problem(lines.get(path, 1), path, problem))
    if sum(len(text.encode()) for text in files.values()) > MOST_TWIN_BYTES:
        shown = ", ".join(f"'{name}'" for name in files)
        path = ("transform",)
        verb = "has" if len(files) == 1 else "have together"
        message = f"{shown} {verb} more than {MOST_TWIN_BYTES // 1024} KiB; split the pipeline"
        return {}, [*problems, Problem(lines.get(path, 1), path, message)]
    return files, problems


def outputs_of(script: str) -> list[str]:
    """Give the names of a script's outputs, as far as that is known without a database."""
    return [match[1].lower() for match in _OUTPUT.finditer(script) if match[1]]


def _named(transform: Any) -> Iterator[tuple[Path, str, str | None]]:  # noqa: ANN401 - whatever stands in the file
    """Give the place, the file's name and the function's, of each step; what is none, the model tells."""
    steps = enumerate(transform) if isinstance(transform, list) else [(None, transform)]
    for number, step in steps:
        if not isinstance(step, dict):
            continue
        path: Path = ("transform",) if number is None else ("transform", number)
        named, sql = step.get("pandas"), step.get("sql")
        if isinstance(named, str) and ":" in named:
            name, _, function = named.partition(":")
            if name == FilePath(name).name:
                yield (*path, "pandas"), name, function
        elif isinstance(sql, str) and _SQL_FILE.fullmatch(sql.strip()):
            yield (*path, "sql"), sql.strip(), None


def _read(folder: FilePath, name: str) -> tuple[str | None, str | None]:
    """Give a file's text, or what is wrong with it."""
    try:
        return (folder / name).read_text(encoding="utf-8-sig"), None
    except OSError:
        there = [twin.name for twin in folder.glob(f"*{FilePath(name).suffix}")]
        return None, f"there is no file '{name}' beside it{guess(name, there)}"
    except UnicodeDecodeError:
        return None, f"'{name}' is no UTF-8; save it as UTF-8"


def _python_problem(name: str, text: str, function: str) -> str | None:
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        return f"{name}, line {error.lineno}: {error.msg}"
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return None if function in functions else f"{name} has no function '{function}'{guess(function, functions)}"


def _sql_problem(name: str, text: str) -> str | None:
    outputs = outputs_of(text)
    if not outputs:
        return f"{name} makes no output; write 'create table NAME as select ...' for each"
    if twice := sorted({output for output in outputs if outputs.count(output) > 1}):
        return f"{name} makes '{twice[0]}' twice"
    return None
