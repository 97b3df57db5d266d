"""Checks the rules over a dataset as a whole that need no warehouse: how many rows are left, and how new they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from etl_contract import Check, Expectation, Interval, SpecError, StageError
from etl_transform._checked_rows import CheckedRows
from etl_transform._count import Count

_TIMES = {"date", "timestamp", "timestamptz"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def freshness_problems(rows: CheckedRows, expectation: Expectation) -> Iterator[StageError]:
    """Refuse a column that is not there, or has no times."""
    if expectation.table is None or expectation.table.fresh is None:
        return
    name, where = expectation.table.fresh.column, f"expect.{rows.dataset.name}.table.fresh.column"
    column = rows.columns.get(name)
    if column is None:
        hint = f"The dataset has: {', '.join(rows.columns)}."
        yield SpecError(f"there is no column '{name}'", where=where, hint=hint)
    elif column.family not in _TIMES:
        hint = "Name a column of dates or times."
        yield SpecError(f"'{name}' is {column.type}, which has no time", where=where, hint=hint)


def table_checks(
    dataset: str, expectation: Expectation, counted: Count, interval: Interval
) -> Iterator[tuple[Check, str]]:
    """Give what came of each rule, and how to say it."""
    table = expectation.table
    if table is None:
        return
    on_breach = expectation.breach_of_table()

    def check(rule: str, found: str, *, holds: bool) -> tuple[Check, str]:
        examples = () if holds else (found,)
        breaches = len(examples)
        it = Check(
            dataset=dataset,
            rule=rule,
            on_breach=on_breach,
            rows=counted.left,
            breaches=breaches,
            examples=examples,
            whole=True,
        )
        return it, f"{rule}: {found}"

    if table.rows is not None:
        low, high = table.rows
        holds = (low is None or counted.left >= low) and (high is None or counted.left <= high)
        ends = ", ".join("null" if end is None else str(end) for end in table.rows)
        yield check(f"rows [{ends}]", f"there are {counted.left:,}", holds=holds)
    if table.fresh is not None:
        # A date, and a time without a zone, is what a clock in the pipeline's time zone shows.
        end = interval.local_end.replace(tzinfo=UTC) if counted.newest_is_local else interval.end
        limit = (end - table.fresh.span - _EPOCH) // timedelta(microseconds=1)
        newest = f"the newest is {counted.newest_text}" if counted.newest_text else "no row has a time"
        holds = counted.newest is not None and counted.newest >= limit
        rule = f"{table.fresh.column} fresh within {table.fresh.within}"
        yield check(rule, f"{newest}, and the interval ends at {interval.local_end}", holds=holds)
