"""Checks in the merge's transaction what only the warehouse can tell, and writes what came of every rule.

So a breach undoes the merge, and what rows refer to may have come with the same run.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import structlog
from psycopg import sql

from etl_contract import (
    Check,
    DataError,
    Dataset,
    Expectation,
    LoadTask,
    OnBreach,
    SpecError,
    TableRules,
    beyond,
    is_tolerated,
    refuse,
)
from etl_contract.parquet import BATCH_ROWS, reading
from etl_load._columns import SqlType
from etl_load._job import STAGING
from etl_load._progress import telling
from etl_load._warehouse import driver

_EXAMPLES = 5
HINT = "Correct the rows, or the rule; 'on_breach: warn' only tells."
_EARLIER = sa.text("""
    select avg(rows_staged) as mean, count(*) as runs from (
        select rows_staged from (
            select distinct on (interval_start) interval_start, rows_staged from etl.loads
            where pipeline = :pipeline and dataset = :dataset and interval_start < :start
            order by interval_start desc, loaded_at desc
        ) each_interval
        order by interval_start desc limit :runs
    ) last
""")
_TYPE = sa.text("""
    select format_type(a.atttypid, a.atttypmod) from pg_attribute a
    join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = :schema and c.relname = :table and a.attname = :column and a.attnum > 0 and not a.attisdropped
""")

CHECKS = sa.table(
    "checks",
    *(sa.column(name) for name in ("pipeline", "run_id", "dataset", "rule", "on_breach", "rows", "breaches")),
    schema="etl",
)

log = structlog.get_logger()


def check_merged(connection: sa.Connection, task: LoadTask, before: Sequence[Check]) -> tuple[Check, ...]:
    """Check the merged rows; give every check of the run, with those from before the merge, and write it down.

    Raises:
        DataError: a rule is breached that must not be; the merge is undone.
        SpecError: what a rule refers to is not there.
    """
    datasets = {dataset.name: dataset for dataset in task.inputs}
    after = [
        found
        for name, expectation in task.expect.items()
        if expectation.table
        for found in _checks(connection, task, datasets[name], expectation, expectation.table)
    ]
    checks = [*before, *(check for check, _ in after)]
    for check in checks:
        if check.breaches:
            log.warning(
                f"{check.dataset}: {check.rule} is breached", on_breach=str(check.on_breach), examples=check.examples
            )
    refuse([problem for _, problem in after if problem])
    checks = [*task.checks, *checks]
    _write(connection, task, checks)
    return tuple(checks)


def _checks(
    connection: sa.Connection, task: LoadTask, dataset: Dataset, expectation: Expectation, rules: TableRules
) -> Iterator[tuple[Check, DataError | None]]:
    """Give each check, and the problem if the run must not go on."""
    where = f"expect.{dataset.name}.table"
    if rules.change is not None:
        on_breach = expectation.breach_of_table()
        example = _change(connection, task, dataset, rules.change, rules.runs)
        check = Check(
            dataset=dataset.name,
            rule=f"change [{', '.join('null' if end is None else f'{end:g}' for end in rules.change)}]",
            on_breach=on_breach,
            rows=dataset.rows,
            breaches=int(bool(example)),
            examples=(example,) if example else (),
            whole=True,
        )
        fails = check.breaches and on_breach is OnBreach.fail
        yield check, DataError(f"{check.rule}: {example}", where=f"{where}.change", hint=HINT) if fails else None
    if expectation.tables_before:
        return  # what they lack has been set aside
    tolerance = expectation.tolerance_of(rules)
    for column in rules.references:
        with telling(f"looking up {dataset.name}.{column} in {rules.references[column]}"):
            breaches, examples = _strangers(connection, dataset, column, rules.references[column])
        check = Check(
            dataset=dataset.name,
            rule=rule_of(column, rules),
            on_breach=expectation.breach_of_references(),
            rows=dataset.rows,
            breaches=breaches,
            examples=examples,
        )
        fails = check.on_breach is OnBreach.fail and not is_tolerated(breaches, dataset.rows, tolerance)
        problem = f"{check.rule}: {'; '.join(examples)}{beyond(tolerance)}"
        yield check, DataError(problem, where=f"{where}.references.{column}", hint=HINT) if fails else None


def rule_of(column: str, rules: TableRules) -> str:
    """Say which column refers to which."""
    return f"{column} references {rules.references[column]}"


def _change(
    connection: sa.Connection, task: LoadTask, dataset: Dataset, factors: Sequence[float | None], runs: int
) -> str:
    """Say how the number of rows differs too much from the mean of the runs before; nothing if it does not."""
    about = {"pipeline": task.pipeline, "dataset": dataset.name, "start": task.interval.start, "runs": runs}
    mean, count = connection.execute(_EARLIER, about).one()
    low, high = factors
    if not count:
        return ""
    rows = dataset.rows
    if (low is None or rows >= low * float(mean)) and (high is None or rows <= high * float(mean)):
        return ""
    factor = f"{rows / float(mean):.3g} times" if mean else "not"
    runs_before = "the run before has" if count == 1 else f"the mean of the {count} runs before is"
    return (
        f"{rows:,} rows are {factor} the {float(mean):,.6g} that {runs_before}"
        if mean
        else (f"{rows:,} rows, and {runs_before} 0")
    )


def _strangers(connection: sa.Connection, dataset: Dataset, column: str, place: str) -> tuple[int, tuple[str, ...]]:
    """Count the rows whose value the referenced column lacks; a missing value refers to nothing."""
    table, known = referenced(connection, dataset.name, column, place)
    # Dropped again before anybody else could see it; temporary tables are not for the role `load`.
    values = sa.Table(
        f"referring_{driver(connection).info.backend_pid}",
        sa.MetaData(),
        sa.Column("value", known.type),
        sa.Column("rows", sa.BigInteger),
        schema=STAGING,
        prefixes=["UNLOGGED"],
    )
    values.create(connection)
    _copy_values(connection, values.name, dataset, column, f"expect.{dataset.name}.table.references.{column}")
    connection.execute(sa.text(f"analyze {values.fullname}"))
    missing = ~sa.exists(sa.select(1).select_from(table).where(known == values.c.value))
    value = sa.cast(values.c.value, sa.Text).label("value")
    strange = sa.select(value, sa.func.sum(values.c.rows).label("rows")).where(missing).group_by(values.c.value)
    found = most(connection, strange.subquery())
    values.drop(connection)
    return found


def referenced(
    connection: sa.Connection, dataset: str, column: str, place: str
) -> tuple[sa.TableClause, sa.ColumnElement[Any]]:
    """Describe the table and the column that a dataset's column refers to.

    Raises:
        SpecError: it is not there.
    """
    schema, table, name = place.split(".")
    kind = connection.execute(_TYPE, {"schema": schema, "table": table, "column": name}).scalar()
    if kind is None:
        hint = "Name a column that is there; its table may be one that this run loads."
        where = f"expect.{dataset}.table.references.{column}"
        raise SpecError(f"there is no {place}", where=where, hint=hint)
    known = sa.column(name, SqlType(kind))
    return sa.table(table, known, schema=schema), known


def no_column(dataset: str, column: str, there: Iterable[str]) -> SpecError:
    """Say that a dataset has no such column."""
    where = f"expect.{dataset}.table.references.{column}"
    return SpecError(f"there is no column '{column}'", where=where, hint=f"The dataset has: {', '.join(there)}.")


def most(connection: sa.Connection, found: sa.Subquery) -> tuple[int, tuple[str, ...]]:
    """Count rows by `value` that are `rows`, and show the most frequent ones."""
    total = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(found.c.rows), 0))).scalar_one()
    worst = sa.select(found.c.value, found.c.rows).order_by(found.c.rows.desc(), found.c.value).limit(_EXAMPLES)
    examples = connection.execute(worst).all() if total else ()
    return int(total), tuple(f"'{value}' in {count:,} rows" for value, count in examples)


def _copy_values(connection: sa.Connection, table: str, dataset: Dataset, column: str, where: str) -> None:
    """Send each batch's values once, with their number, as text that becomes the referenced column's type."""
    with reading(dataset) as parquet:
        if column not in parquet.schema_arrow.names:
            raise no_column(dataset.name, column, parquet.schema_arrow.names)
        statement = sql.SQL("copy {} from stdin").format(sql.Identifier(STAGING, table))
        with driver(connection).cursor().copy(statement) as copy:
            for group in range(parquet.num_row_groups):
                for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=[column], use_threads=False):
                    for value in _counted(batch.column(0), column, where):
                        copy.write_row(value)


def _counted(values: pa.Array, column: str, where: str) -> Iterator[tuple[str, int]]:
    try:
        counts = pc.value_counts(values.cast(pa.string()).drop_null())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        problem = f"'{column}' is of type {values.type}, which refers to nothing"
        raise SpecError(problem, where=where, hint="Make it text or a number in the transform.") from error
    return zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)


def _write(connection: sa.Connection, task: LoadTask, checks: Sequence[Check]) -> None:
    """Put this run's lines in place of those of an earlier try."""
    connection.execute(sa.delete(CHECKS).where(CHECKS.c.pipeline == task.pipeline, CHECKS.c.run_id == task.run_id))
    lines = [
        {"pipeline": task.pipeline, "run_id": task.run_id, **check.model_dump(mode="json", exclude={"examples"})}
        for check in checks
    ]
    if lines:
        connection.execute(sa.insert(CHECKS), lines)
