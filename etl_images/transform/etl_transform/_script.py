"""Reads an author's SQL into what is to be made: outputs, each by a query, and helpers on the way to them.

create table daily as select ...       an output, the dataset `daily`
create temp table, view, macro ...     a helper, which later statements may use
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import duckdb
from pydantic import TypeAdapter, ValidationError

from etl_contract import Name, SpecError, refuse
from etl_transform._binding import bind
from etl_transform._place import Place
from etl_transform._sql_faults import explained

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_BLANK = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
_HEADER = re.compile(
    rf"""{_BLANK}* create {_BLANK}+ (?:or {_BLANK}+ replace {_BLANK}+)?
    (?P<temporary> (?:temp|temporary) {_BLANK}+)? (?P<kind> table|view|macro|function) {_BLANK}+
    (?:if {_BLANK}+ not {_BLANK}+ exists {_BLANK}+)? (?P<name> "(?:[^"]|"")+" | [\w.]+ )
    (?P<query> {_BLANK}+ as (?={_BLANK}|\() {_BLANK}* )?""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_FIRST_WORD = re.compile(rf"{_BLANK}*(\w*)", re.DOTALL)
GRAMMAR = "Write 'create table NAME as select ...' for each output, and 'create temp table', 'create view' or "
GRAMMAR += "'create macro' for what is only on the way there."


class Output(NamedTuple):
    """A dataset to be made: its name, the query, and where that stands."""

    name: str
    query: str
    place: Place


class Helper(NamedTuple):
    """A statement that makes something for later statements: the name of it, and where the statement stands."""

    name: str
    statement: str
    place: Place


def read_queries(queries: Mapping[str, str], names: Iterable[str], places: Mapping[str, Place]) -> list[Output]:
    """Read a mapping of output and query.

    Raises:
        SpecError: a text is no query, or no single one.
    """
    known = list(names)
    outputs: list[Output] = []
    problems: list[SpecError] = []
    for name, query in queries.items():
        try:
            outputs.append(_query(name, bind(query, known, places[name]), places[name]))
        except SpecError as problem:
            problems.append(problem)
    refuse(problems)
    return outputs


def read_script(text: str, names: Iterable[str], place: Place) -> list[Output | Helper]:
    """Read statements.

    Raises:
        SpecError: one of them is of another kind, makes what another makes, or there is no output.
    """
    made: list[Output | Helper] = []
    problems: list[SpecError] = []
    for statement, where in _statements(bind(text, names, place), place):
        try:
            made.append(_made(statement, where))
        except SpecError as problem:
            problems.append(problem)
    there: dict[str, Place] = {}
    for item in made:
        if (first := there.setdefault(item.name.lower(), item.place)) != item.place:
            hint = f"The first stands in line {first.line}. Rename one."
            problems.append(SpecError(f"'{item.name}' is made twice", where=item.place.at(), hint=hint))
    if not problems and not any(isinstance(item, Output) for item in made):
        problems.append(SpecError("there is no output", where=place.at(), hint=GRAMMAR))
    refuse(problems)
    return made


def _query(name: str, text: str, place: Place) -> Output:
    statements = list(_statements(text, place))
    if len(statements) != 1:
        hint = f"An output has one. To write several statements: sql: |, and then {GRAMMAR[6:]}"
        raise SpecError(f"'{name}' has {len(statements)} statements", where=place.at(), hint=hint)
    (statement, where) = statements[0]
    if statement.type != duckdb.StatementType.SELECT:
        hint = "Write a query, such as 'select ... from ...'."
        if statement.type == duckdb.StatementType.MULTI:
            hint = _PIVOT
        raise SpecError(f"'{_first_word(statement.query)}' is no query", where=where.at(), hint=hint)
    return Output(name, _unterminated(statement.query), where)


_PIVOT = "Name the columns of a pivot, as in 'pivot x on y in (1, 2)': a table's columns do not depend on its rows."


def _made(statement: duckdb.Statement, place: Place) -> Output | Helper:
    match = _HEADER.match(statement.query) if statement.type == duckdb.StatementType.CREATE else None
    if statement.type == duckdb.StatementType.MULTI:
        raise SpecError("the columns of a pivot are not named", where=place.at(), hint=_PIVOT)
    if match is None or (match["kind"].lower() == "table" and match["query"] is None):
        word = _first_word(statement.query)
        problem = "this select goes nowhere" if statement.type == duckdb.StatementType.SELECT else None
        raise SpecError(problem or f"'{word}' is not allowed like this here", where=place.at(), hint=GRAMMAR)
    name = match["name"].strip('"').replace('""', '"')
    if match["temporary"] or match["kind"].lower() != "table":
        return Helper(name, _unterminated(statement.query), place)
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise SpecError(str(error.errors()[0]["ctx"]["error"]), where=place.at(), hint="Rename the output.") from None
    header = match[0]
    return Output(name, _unterminated(statement.query[len(header) :]), place.after(header))


def _statements(text: str, place: Place) -> Iterator[tuple[duckdb.Statement, Place]]:
    """Give each statement, and where it begins."""
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise explained(error, place) from error
    behind = 0
    for statement in statements:
        behind = text.index(statement.query, behind)
        yield statement, place.after(text[:behind])
        behind += len(statement.query)


def _unterminated(statement: str) -> str:
    """Cut the semicolon, and what is after it."""
    return re.sub(rf";{_BLANK}*$", "", statement, flags=re.DOTALL)


def _first_word(statement: str) -> str:
    match = _FIRST_WORD.match(statement)
    return match[1] if match and match[1] else statement[:20]
