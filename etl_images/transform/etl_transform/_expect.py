"""Checks datasets against what they are expected to be, and sets aside the rows that may not go on.

    Dataset ──► one pass of SQL that counts every rule's breaches ──► Check
                  │ quarantine: rows with their reasons ──► quarantine/NAME.parquet
                  └ the rows that are left ──► Dataset

Why DuckDB: docs/decisions/checks-in-sql.md.
"""

import difflib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import structlog

from etl_contract import (
    Check,
    DataError,
    Dataset,
    Expect,
    OnBreach,
    SpecError,
    StageError,
    TransformTask,
    Unavailable,
    beyond,
    is_tolerated,
    refuse,
)
from etl_transform._checked_rows import CheckedRows
from etl_transform._count import Count, count, examples_of
from etl_transform._duckdb import open_duckdb
from etl_transform._rules import Rule, rules_of
from etl_transform._set_aside import set_aside
from etl_transform._table_rules import freshness_problems, table_checks

_HINT = (
    "Correct the rows in the transform, or the rule; 'on_breach: quarantine' sets rows aside, and 'warn' only tells."
)

log = structlog.get_logger()


class Checked(NamedTuple):
    """What came of the checks: the datasets with the rows that are left, what was set aside, and every rule's count."""

    datasets: tuple[Dataset, ...]
    quarantined: tuple[Dataset, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class _Finding:
    """What came of a rule, and whether the run may go on."""

    check: Check
    where: str
    fails: bool
    tells: bool
    words: str


def check_datasets(task: TransformTask, datasets: Sequence[Dataset]) -> Checked:
    """Check each dataset that something is expected of; only when no rule fails are rows set aside.

    Raises:
        SpecError: a rule cannot be checked: all of them.
        DataError: rules are breached that must not be: all of them, with rows.
    """
    started = time.monotonic()
    by_name = {dataset.name: dataset for dataset in datasets}
    refuse(list(_unknown(task.expect, by_name)))
    wanted = [by_name[name] for name in task.expect]
    with open_duckdb(task.run_uri, datasets) as connection, _explaining():
        problems: list[StageError] = []
        tables: list[tuple[CheckedRows, list[Rule]]] = []
        for dataset in wanted:
            rows = CheckedRows(connection, dataset)
            rules, unfit = rules_of(rows, task.expect[dataset.name], task.interval.timezone)
            problems += [*unfit, *freshness_problems(rows, task.expect[dataset.name])]
            tables.append((rows, rules))
        refuse(problems)
        findings = [found for rows, rules in tables for found in _findings(task, rows, rules)]
        for found in findings:
            if found.tells:
                _tell(found)
        _fail([found for found in findings if found.fails])
        breached = {(found.check.dataset, found.check.rule) for found in findings if found.check.breaches}
        quarantined: list[Dataset] = []
        for rows, rules in tables:
            going = [
                rule
                for rule in rules
                if rule.on_breach is OnBreach.quarantine and (rule.dataset, rule.title) in breached
            ]
            if going:
                left, gone = set_aside(task.run_uri, rows, going)
                by_name[left.name] = left
                quarantined.append(gone)
    log.info(
        f"checked {len(findings)} rules",
        rows=sum(dataset.rows for dataset in wanted),
        breached=len(breached),
        quarantined=sum(dataset.rows for dataset in quarantined),
        seconds=round(time.monotonic() - started, 2),
    )
    return Checked(tuple(by_name.values()), tuple(quarantined), tuple(found.check for found in findings))


def _findings(task: TransformTask, rows: CheckedRows, rules: Sequence[Rule]) -> Iterator[_Finding]:
    expectation = task.expect[rows.dataset.name]
    counted = count(rows, rules, expectation.table)
    for rule, breaches in zip(rules, counted.breaches, strict=True):
        examples = examples_of(rows, rule) if breaches else ()
        check = Check(
            dataset=rule.dataset,
            rule=rule.title,
            on_breach=rule.on_breach,
            rows=counted.rows,
            breaches=breaches,
            examples=examples,
        )
        yield _finding(check, rule, counted)
    for check, words in table_checks(rows.dataset.name, expectation, counted, task.interval):
        breached = check.breaches > 0
        fails = breached and check.on_breach is OnBreach.fail
        yield _Finding(check, f"expect.{check.dataset}.table", fails, breached, words)


def _finding(check: Check, rule: Rule, counted: Count) -> _Finding:
    share = f"{100 * check.breaches / counted.rows:.3g} %" if counted.rows else "none"
    words = f"{check.rule}: breached by {check.breaches:,} of {check.rows:,} rows ({share})"
    tolerated = is_tolerated(check.breaches, check.rows, rule.tolerate)
    words += "" if tolerated else beyond(rule.tolerate)
    words += f": {'; '.join(check.examples)}" if check.examples else ""
    match rule.on_breach:
        case OnBreach.quarantine:
            fails = rule.tolerate is not None and not tolerated
        case OnBreach.fail:
            fails = not tolerated
        case OnBreach.warn:
            fails = False
    return _Finding(check, rule.where, fails, check.breaches > 0, words)


def _tell(found: _Finding) -> None:
    check = found.check
    log.warning(
        f"{check.dataset}: {check.rule} is breached",
        on_breach=str(check.on_breach),
        breaches=check.breaches,
        rows=check.rows,
        fails=found.fails,
        examples=list(check.examples),
    )


def _fail(found: Sequence[_Finding]) -> None:
    if not found:
        return
    if len(found) == 1:
        raise DataError(found[0].words, where=found[0].where, hint=_HINT)
    lines = "\n".join(f"  {each.where}: {each.words}" for each in found)
    raise DataError(f"{len(found)} rules are breached:\n{lines}", hint=_HINT)


def _unknown(expect: Expect, there: Mapping[str, Dataset]) -> Iterator[StageError]:
    for name in expect:
        if name not in there:
            close = difflib.get_close_matches(name, there, n=1)
            meant = f"Did you mean '{close[0]}'? " if close else ""
            hint = f"{meant}There are: {', '.join(sorted(there)) or 'none'}."
            yield SpecError(f"there is no dataset '{name}'", where=f"expect.{name}", hint=hint)


@contextmanager
def _explaining() -> Iterator[None]:
    """Say of DuckDB's errors while it computes what should happen next."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(str(error)) from error
    except duckdb.IOException as error:
        hint = "Is there space left on the volume of the runs?"
        raise Unavailable(str(error).partition("\n")[0], where="expect", hint=hint) from error
    except duckdb.DataError as error:
        hint = "Let the condition be one that every row can be asked, such as with try_cast."
        raise DataError(str(error).partition("\n")[0], where="expect", hint=hint) from error
