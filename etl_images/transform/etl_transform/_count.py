"""Counts the breaches of a dataset's rules in one pass, and shows some of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from etl_contract import OnBreach, TableRules
from etl_transform._checked_rows import NUMBER, CheckedRows
from etl_transform._rules import Rule

EXAMPLES = 5
MOST_OF_A_VALUE = 80


@dataclass(frozen=True)
class Count:
    """What one pass over a dataset found: its rows, those that are left, each rule's breaches, and the newest time.

    The newest is in microseconds since 1970, and as text; it is local where the column has no time zone.
    """

    rows: int
    left: int
    breaches: tuple[int, ...]
    newest: int | None = None
    newest_text: str | None = None
    newest_is_local: bool = False


def count(rows: CheckedRows, rules: Sequence[Rule], table: TableRules | None) -> Count:
    """Count all rules at once; the rows that are left are those that no rule sets aside."""
    going = [f"b{number}" for number, rule in enumerate(rules) if rule.on_breach is OnBreach.quarantine]
    stays = f"not ({' or '.join(going)})" if going else "true"
    columns = [f"({rule.breach}) as b{number}" for number, rule in enumerate(rules)]
    counts = [f"count(*) filter (where b{number})" for number in range(len(rules))]
    newest = ["null::bigint", "null"]
    local = False
    if table is not None and table.fresh is not None:
        column = rows.columns[table.fresh.column]
        local = column.family != "timestamptz"
        columns.append(f"{column.sql} as newest")
        last = f"(max(newest) filter (where isfinite(newest) and {stays}))"
        newest = [f"epoch_us({last}{'::timestamp' if local else ''})", f"{last}::varchar"]
    inner = f"select {', '.join(columns) or 'true as row'} from {rows.source}"  # noqa: S608 - quoted
    outer = ["count(*)", f"count(*) filter (where {stays})", *newest, *counts]
    query = f"select {', '.join(outer)} from ({inner})"  # noqa: S608 - quoted
    total, left, instant, text, *breaches = rows.connection.execute(query).fetchall()[0]
    return Count(total, left, tuple(breaches), instant, text, local)


def examples_of(rows: CheckedRows, rule: Rule) -> tuple[str, ...]:
    """Show the first rows that breach a rule, with what they have."""
    shown = f"coalesce({rule.value}, 'null')"
    cut = f"case when length(v) > {MOST_OF_A_VALUE} then v[:{MOST_OF_A_VALUE}] || '...' else v end"
    first = f"""
        select 'row ' || number || ': ' || {cut}
        from (
            select {NUMBER} + 1 as number, {shown} as v from {rows.source}
            where {rule.breach} order by number limit {EXAMPLES}
        )
        order by number
    """  # noqa: S608 - quoted
    return tuple(text for (text,) in rows.connection.execute(first).fetchall())
