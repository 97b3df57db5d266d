"""Writes the rules over a dataset's columns and rows as SQL conditions of their breach."""

import difflib
import re
from dataclasses import dataclass

import duckdb

from etl_contract import ColumnRules, Expectation, OnBreach, RowRule, SpecError, StageError
from etl_transform import _bounds
from etl_transform._checked_rows import CheckedColumn, CheckedRows
from etl_transform._duckdb import identifier, literal

SYMBOL_FOR_NUL = "chr(9216)"
_ANY = {"integer", "decimal", "float"}


@dataclass(frozen=True)
class Rule:
    """A rule over rows: the condition, true or false and never null, that a row breaches it, and the value to show."""

    dataset: str
    title: str
    where: str
    on_breach: OnBreach
    tolerate: int | float | None
    breach: str
    shown: str
    column: str | None = None

    @property
    def value(self) -> str:
        """Write the value to show, with a sign for the character NUL, which neither a terminal nor PostgreSQL takes."""
        return f"replace({self.shown}, chr(0), {SYMBOL_FOR_NUL})"


def rules_of(rows: CheckedRows, expectation: Expectation, timezone: str) -> tuple[list[Rule], list[StageError]]:
    """Give the rules in the order of the file, and what is wrong with those that cannot be checked."""
    rules: list[Rule] = []
    problems: list[StageError] = []
    for name, wanted in expectation.columns.items():
        where = f"expect.{rows.dataset.name}.columns.{name}"
        column = rows.columns.get(name)
        if column is None:
            close = difflib.get_close_matches(name, rows.columns, n=1)
            meant = f"Did you mean '{close[0]}'? " if close else ""
            hint = f"{meant}The dataset has: {', '.join(rows.columns)}."
            problems.append(SpecError(f"there is no column '{name}'", where=where, hint=hint))
            continue
        for kind, words in wanted.words():
            try:
                breach = _breach(rows, column, kind, wanted, timezone)
            except (ValueError, duckdb.ProgrammingError) as error:
                hint = "Correct the rule, or the column in the transform."
                problems.append(SpecError(_first_line(error), where=f"{where}.{kind}", hint=hint))
                continue
            rules.append(
                Rule(
                    rows.dataset.name,
                    f"{name} {words}",
                    where,
                    _of_rows(expectation.breach_of(wanted), kind),
                    expectation.tolerance_of(wanted),
                    breach,
                    f"{column.sql}::varchar",
                    name,
                )
            )
    for number, row_rule in enumerate(expectation.rows, start=1):
        where = f"expect.{rows.dataset.name}.rows.{number}"
        if problem := _condition_problem(rows, row_rule, where):
            problems.append(problem)
            continue
        rules.append(
            Rule(
                rows.dataset.name,
                row_rule.title,
                where,
                expectation.breach_of(row_rule),
                expectation.tolerance_of(row_rule),
                f"coalesce(not (\n{row_rule.that}\n), false)",
                _mentioned(rows, row_rule.that),
            )
        )
    return rules, problems


def _of_rows(on_breach: OnBreach, kind: str) -> OnBreach:
    """Let a wrong type fail where rows would be set aside: it is the column's, and all rows would go."""
    return OnBreach.fail if kind == "type" and on_breach is OnBreach.quarantine else on_breach


def _breach(rows: CheckedRows, column: CheckedColumn, kind: str, wanted: ColumnRules, timezone: str) -> str:
    match kind:
        case "nullable":
            return f"{column.sql} is null"
        case "type":
            return str(not _is_of(column, str(wanted.type))).lower()
        case "unique":
            condition = _stands_once(rows, column)
        case "in_range":
            condition = _bounds.in_range(column, wanted.in_range or (), timezone)
        case "one_of":
            condition = _bounds.one_of(column, wanted.one_of or (), timezone)
        case "matches":
            condition = _matches(rows, column, wanted.matches or "")
        case _:
            condition = _bounds.length(column, wanted.length or ())
    return "false" if column.family == "null" else f"{column.sql} is not null and not ({condition})"


def _is_of(column: CheckedColumn, wanted: str) -> bool:
    return column.family in {wanted, "null"} or (wanted == "number" and column.family in _ANY)


def _stands_once(rows: CheckedRows, column: CheckedColumn) -> str:
    """Collect the values that stand more than once, which are few; give the condition that a value is none of them."""
    table = identifier(f".twice {rows.dataset.name} {column.name}")
    twice = f"select {column.sql} as value from {rows.source} group by 1 having count(*) > 1 and value is not null"  # noqa: S608 - quoted
    rows.connection.execute(f"create or replace temp table {table} as {twice}")
    found = rows.connection.execute(f"select count(*) from {table}").fetchall()[0][0]  # noqa: S608 - quoted
    return f"{column.sql} not in (select value from {table})" if found else "true"  # noqa: S608 - quoted


def _matches(rows: CheckedRows, column: CheckedColumn, pattern: str) -> str:
    if column.family not in {"text", "null"}:
        raise ValueError(f"matches has no meaning for {column.type}")
    rows.connection.execute(f"select regexp_full_match('', {literal(pattern)})")
    return f"regexp_full_match({column.sql}, {literal(pattern)})"


def _condition_problem(rows: CheckedRows, rule: RowRule, where: str) -> SpecError | None:
    """Say why a condition is none."""
    hint = f"The dataset has: {', '.join(rows.columns)}."
    try:
        (kind,) = rows.connection.sql(f"select (\n{rule.that}\n) from {rows.source}").types  # noqa: S608 - the author's own
        rows.connection.sql(f"select 1 from {rows.source} where (\n{rule.that}\n)").types  # noqa: B018, S608 - as above
    except (duckdb.ProgrammingError, duckdb.PermissionException) as error:
        return SpecError(_first_line(error), where=where, hint=hint)
    if str(kind) != "BOOLEAN":
        return SpecError(
            f"'{rule.that}' gives {kind}, not true or false", where=where, hint="Compare it with something."
        )
    return None


def _mentioned(rows: CheckedRows, that: str) -> str:
    """Write the values of the columns that a condition mentions, as `dep_delay=-3, arr_delay=900`."""
    pieces = [
        f"{literal(f'{name}=')} || coalesce({column.sql}::varchar, 'null')"
        for name, column in rows.columns.items()
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", that)
    ]
    return " || ', ' || ".join(pieces) or "null"


def _first_line(error: Exception) -> str:
    """Take the first line of DuckDB's words, which quote the whole statement below."""
    return str(error).strip().partition("\n")[0]
