"""Parses the SQL that databases run, without any of them: the queries of sources and of the report."""

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

import sqlglot
from sqlglot.errors import ParseError, SqlglotError

from etl_contract import Chart, Figure, ReportTable, SqlSource
from etl_platform._pipeline import Pipeline
from etl_platform._problems import Path, Problem
from etl_platform._yaml import text_lines

# A file does not tell what database a connection leads to: what one of them understands is no mistake.
_SOURCES = ("postgres", "mysql", "sqlite")
_WAREHOUSE = ("postgres",)
_WORDS = (
    "select",
    "and",
    "from",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "join",
    "with",
    "union",
    "distinct",
    "between",
)


class _Query(NamedTuple):
    path: Path
    text: str
    dialects: tuple[str, ...]


def query_problems(pipeline: Pipeline) -> list[Problem]:
    """Say what is no SQL, by the line of the file."""
    lines = text_lines(pipeline.text)
    return [
        Problem(lines.get(_place(query.path), 1) + line - 1, query.path, message)
        for query in _queries(pipeline)
        for line, message in _complaints(query)
    ]


def _queries(pipeline: Pipeline) -> Iterator[_Query]:
    for name, source in pipeline.extract.items():
        if isinstance(source, SqlSource) and source.query is not None:
            yield _Query(("extract", name, "query"), source.query, _SOURCES)
        if isinstance(source, SqlSource) and source.where is not None:
            yield _Query(("extract", name, "where"), source.where, _SOURCES)
    if pipeline.visualize is None:
        return
    report = pipeline.visualize
    parts: dict[str, tuple[Figure | Chart | ReportTable, ...]]
    parts = {"figures": report.figures, "charts": report.charts, "tables": report.tables}
    for section, queries in parts.items():
        for number, part in enumerate(queries):
            yield _Query(("visualize", section, number, "sql"), part.sql, _WAREHOUSE)
    for number, figure in enumerate(report.figures):
        if isinstance(figure.compare, str):
            yield _Query(("visualize", "figures", number, "compare"), figure.compare, _WAREHOUSE)


def _place(path: Path) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _complaints(query: _Query) -> list[tuple[int, str]]:
    """Give the first complaint with its line in the query, if no dialect understands it."""
    # A condition is none by itself; what is put before it stands in its first line.
    text = f"select where {query.text}" if query.path[-1] == "where" else query.text
    found: list[tuple[int, str]] = []
    for dialect in query.dialects:
        try:
            statements = [statement for statement in sqlglot.parse(text, read=dialect) if statement is not None]
        except ParseError as error:
            found.append(_told(error, text))
            continue
        except SqlglotError:
            found.append((1, "this is no SQL: a quote or a comment is not closed"))
            continue
        if len(statements) != 1:
            return [(1, f"these are {len(statements)} statements; write one")]
        return []
    return found[:1]


def _told(error: ParseError, text: str) -> tuple[int, str]:
    """Say where a query stops making sense: the word there, and what was probably meant."""
    details = error.errors[0] if error.errors else {}
    word = str(details.get("highlight") or "").strip()
    line = int(details.get("line") or 1)
    before = re.findall(r"\w+", str(details.get("start_context") or ""))
    meant = next((f"; did you mean '{close}'?" for found in (word, *reversed(before)) if (close := _close(found))), "")
    where = f"at '{word}'" if word else "at its end"
    if not meant:
        meant = f": {details['description']}" if _is_plain(details.get("description")) else ""
    return min(line, text.count("\n") + 1), f"this is no SQL {where}{meant}"


def _is_plain(description: object) -> bool:
    """Tell whether the parser's words are for people: those of its grammar's classes are not."""
    return isinstance(description, str) and "<" not in description and "Invalid expression" not in description


def _close(word: str) -> str | None:
    lower = word.lower()
    close = difflib.get_close_matches(lower, _WORDS, n=1, cutoff=0.66)
    return close[0] if close and close[0] != lower else None
