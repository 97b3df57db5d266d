"""Sets aside the staged rows that refer to what is not in the warehouse, before the others are merged.

staging.T ──► rows that refer to nothing, with the reasons ──► quarantine.rows
          └─► the rows that are left ──► merge
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import Check, DataError, OnBreach, TableRules, beyond, is_tolerated
from etl_load._checks import HINT, most, no_column, referenced, rule_of
from etl_load._job import Job
from etl_load._modes._rows import changed
from etl_load._progress import telling
from etl_load._quarantine import ROWS

_PLACE: sa.ColumnClause[Any] = sa.literal_column("ctid")


def set_aside(connection: sa.Connection, job: Job) -> tuple[Job, tuple[Check, ...]]:
    """Move them from the staging table into quarantine; give the job that is left, and what came of each reference.

    Raises:
        SpecError: what a rule refers to is not there.
        DataError: there are more of them than is tolerated.
    """
    rules = job.references_to_keep
    if rules is None:
        return job, ()
    with telling(f"looking up what {job.dataset.name} refers to"):
        strange = {column: _is_strange(connection, job, column, place) for column, place in rules.references.items()}
        checks = tuple(_check(connection, job, rules, column, condition) for column, condition in strange.items())
        if not any(check.breaches for check in checks):
            return job, checks
        gone = _move(
            connection, job, {check.rule: column for check, column in zip(checks, strange, strict=True)}, strange
        )
    left = job.dataset.model_copy(update={"rows": job.dataset.rows - gone})
    return replace(job, dataset=left, aside=gone), checks


def _is_strange(connection: sa.Connection, job: Job, column: str, place: str) -> sa.ColumnElement[bool]:
    """Write the condition that a staged row's value is not in the column that it refers to; a missing one is well."""
    table, known = referenced(connection, job.dataset.name, column, place)
    if column not in job.names:
        raise no_column(job.dataset.name, column, job.names)
    value = sa.cast(job.value(column), known.type)
    return value.is_not(None) & ~sa.exists(sa.select(1).select_from(table).where(known == value))


def _check(
    connection: sa.Connection, job: Job, rules: TableRules, column: str, strange: sa.ColumnElement[bool]
) -> Check:
    value, rows = sa.cast(job.value(column), sa.Text).label("value"), sa.func.count().label("rows")
    found = sa.select(value, rows).select_from(job.staging).where(strange).group_by(value).subquery()
    breaches, examples = most(connection, found)
    check = Check(
        dataset=job.dataset.name,
        rule=rule_of(column, rules),
        on_breach=OnBreach.quarantine,
        rows=job.dataset.rows,
        breaches=breaches,
        examples=examples,
    )
    tolerance = job.task.expect[job.dataset.name].tolerance_of(rules)
    if tolerance is not None and not is_tolerated(breaches, check.rows, tolerance):
        problem = f"{check.rule}: breached by {breaches:,} of {check.rows:,} rows{beyond(tolerance)}"
        where = f"expect.{check.dataset}.table.references.{column}"
        raise DataError(f"{problem}: {'; '.join(examples)}", where=where, hint=HINT)
    return check


def _move(
    connection: sa.Connection, job: Job, columns: Mapping[str, str], strange: Mapping[str, sa.ColumnElement[bool]]
) -> int:
    """Move rows in one statement, so that each of them is in one place, whatever others do to what it refers to."""
    cases = [(strange[column], rule, column) for rule, column in columns.items()]
    titles: pg.array[Any] = pg.array([sa.case((condition, rule)) for condition, rule, _ in cases], type_=sa.Text)
    breached = sa.cast(sa.func.array_remove(titles, sa.null()), pg.ARRAY(sa.Text))
    whole = sa.func.to_jsonb(sa.literal_column(connection.dialect.identifier_preparer.quote(job.staging.name)))
    untyped = {column.name: None for column in job.columns if column.kind is None}
    numbered = sa.select(_PLACE.label("place"), sa.func.row_number().over(order_by=_PLACE).label("number"))
    numbered_rows = numbered.select_from(job.staging).cte("numbered")
    gone = (
        sa.select(
            _PLACE.label("place"),
            breached.label("rules"),
            sa.case(*((condition, column) for condition, _, column in cases)).label("column_name"),
            sa.case(*((condition, sa.cast(job.value(column), sa.Text)) for condition, _, column in cases)).label(
                "value"
            ),
            whole.concat(sa.cast(untyped, pg.JSONB)).label("row"),
        )
        .select_from(job.staging)
        .where(sa.or_(*strange.values()))
        .cte("gone")
    )
    about = {
        "pipeline": job.task.pipeline,
        "run_id": job.task.run_id,
        "dataset": job.dataset.name,
        "interval_start": job.interval.start,
        "interval_end": job.interval.end,
    }
    rows = sa.select(
        *(sa.literal(value) for value in about.values()),
        _place_in_the_dataset(job, numbered_rows.c.number),
        gone.c.rules[1],
        gone.c.column_name,
        gone.c.value,
        gone.c.rules[2 : len(cases)],
        gone.c.row,
    ).join_from(gone, numbered_rows, gone.c.place == numbered_rows.c.place)
    names = [*about, "row_number", "rule", "column_name", "value", "also", "row"]
    kept = sa.insert(ROWS).from_select(names, rows).cte("kept")
    return changed(connection, sa.delete(job.staging).where(_PLACE.in_(sa.select(gone.c.place))).add_cte(kept))


def _place_in_the_dataset(job: Job, number: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Count the rows in that the transform has set aside: those before which fewer rows are left."""
    left = ROWS.c.row_number - sa.func.row_number().over(order_by=ROWS.c.row_number)
    taken = sa.select(left.label("before")).where(
        ROWS.c.pipeline == job.task.pipeline, ROWS.c.run_id == job.task.run_id, ROWS.c.dataset == job.dataset.name
    )
    before = taken.subquery().c.before
    thresholds = sa.select(sa.func.array_agg(pg.aggregate_order_by(before, before.asc()))).scalar_subquery()
    return number + sa.func.coalesce(sa.func.width_bucket(number - 1, thresholds), 0)
