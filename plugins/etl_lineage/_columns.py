"""Says which columns a query's columns are made of, as far as that is exactly known."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.lineage import Node, lineage

from etl_contract import SqlTransform, TransformTask, steps_of

DIALECT = "duckdb"
IDENTITY, TRANSFORMATION, AGGREGATION = "IDENTITY", "TRANSFORMATION", "AGGREGATION"
_WORTH = (IDENTITY, TRANSFORMATION, AGGREGATION)


class Origin(NamedTuple):
    """A column that another is made of, and how: in OpenLineage's words."""

    dataset: str
    column: str
    how: str = IDENTITY


# Of each column; None where that cannot be told.
Origins = dict[str, tuple[Origin, ...] | None]


def origins_of(task: TransformTask, columns: Mapping[str, Mapping[str, str]]) -> dict[str, Origins]:
    """Give the origins of each column of each dataset that a transform makes; nothing where any step is no SQL.

    Args:
        task: what transform was told.
        columns: the columns of what it read.
    """
    known: dict[str, Origins] = {
        dataset: {column: (Origin(dataset, column),) for column in names} for dataset, names in columns.items()
    }
    made: dict[str, Origins] = {}
    try:
        for step in steps_of(task.spec):
            if not isinstance(step, SqlTransform):
                return {}
            for name, query, is_output in _queries(step, task.files):
                known[name] = _origins(query, known)
                if is_output:
                    made[name] = known[name]
    except Exception:  # noqa: BLE001 - a parser that is not DuckDB's own may stumble in any way
        return {}
    return made


class _UnknownError(Exception):
    """What a column is made of cannot be told."""


def _queries(step: SqlTransform, files: Mapping[str, str]) -> Iterator[tuple[str, exp.Query, bool]]:
    """Give each query with the name of what it makes, and whether that is an output."""
    if isinstance(step.sql, dict):
        for name, text in step.sql.items():
            yield name, _query(sqlglot.parse_one(text, read=DIALECT)), True
        return
    for statement in sqlglot.parse(files[step.file] if step.file else step.sql, read=DIALECT):
        if statement is None:
            continue
        if not isinstance(statement, exp.Create) or statement.kind not in {"TABLE", "VIEW"}:
            raise _UnknownError  # a macro may hide anything
        table = statement.this.find(exp.Table)
        temporary = statement.kind == "VIEW" or statement.find(exp.TemporaryProperty) is not None
        yield table.name, _query(statement.expression), not temporary


def _query(expression: object) -> exp.Query:
    if not isinstance(expression, exp.Query):
        raise _UnknownError
    return expression


def _origins(query: exp.Query, known: Mapping[str, Origins]) -> Origins:
    schema = {name: dict.fromkeys(columns, "text") for name, columns in known.items()}
    nodes = lineage(None, query.copy(), schema=schema, dialect=DIALECT)
    return {column: _origins_of_one(node, known) for column, node in nodes.items()}


def _origins_of_one(node: Node, known: Mapping[str, Origins]) -> tuple[Origin, ...] | None:
    try:
        return tuple(dict.fromkeys(_leaves(node, known)))
    except _UnknownError:
        return None


def _leaves(node: Node, known: Mapping[str, Origins], how: str = IDENTITY) -> Iterator[Origin]:
    """Give the columns of tables at the end of a column's way, with the most that was done to them on it."""
    match node.expression:
        case exp.Table() as table:
            wanted = exp.to_column(node.name, dialect=DIALECT).name
            origins = _called(_called(known, table.name), wanted)
            if origins is None:
                raise _UnknownError
            for origin in origins:
                yield origin._replace(how=max(how, origin.how, key=_WORTH.index))
        case exp.Placeholder() | exp.UDTF():
            raise _UnknownError
        case expression:
            how = max(how, _done(expression), key=_WORTH.index)
            for before in node.downstream:
                yield from _leaves(before, known, how)


def _called[Found](known: Mapping[str, Found], name: str) -> Found:
    """Look up as SQL does: upper and lower case are the same."""
    for each, found in known.items():
        if each.lower() == name.lower():
            return found
    raise _UnknownError


def _done(expression: exp.Expr) -> str:
    """Say what an expression does to the columns in it."""
    if isinstance(expression, exp.Query):
        return IDENTITY
    inner = expression.unalias()
    if isinstance(inner, exp.Column | exp.Star):
        return IDENTITY
    return AGGREGATION if inner.find(exp.AggFunc) else TRANSFORMATION
