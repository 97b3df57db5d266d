"""Checks in the merge's transaction what only the warehouse can tell, and writes what came of every rule.

So a breach undoes the merge, and what rows refer to may have come with the same run.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import structlog
from psycopg import sql

from etl_contract import Check, DataError, Dataset, Expectation, LoadTask, OnBreach, SpecError
from etl_contract.parquet import BATCH_ROWS, reading
from etl_load._faults import refuse
from etl_load._job import STAGING
from etl_load._progress import telling
from etl_load._warehouse import driver

_EXAMPLES = 5
_HINT = "Correct the rows, or the rule; 'on_breach: warn' only tells."
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


def check_merged(connection: sa.Connection, task: LoadTask) -> tuple[Check, ...]:
    """Check the merged rows; give every check of the run, and write it down.

    Raises:
        DataError: a rule is breached that must not be; the merge is undone.
        SpecError: what a rule refers to is not there.
    """
    datasets = {dataset.name: dataset for dataset in task.inputs}
    found = [
        (check, where)
        for name, expectation in task.expect.items()
        for check, where in _checks(connection, task, datasets[name], expectation)
    ]
    for check, _ in found:
        if check.breaches:
            log.warning(
                f"{check.dataset}: {check.rule} is breached", on_breach=str(check.on_breach), examples=check.examples
            )
    refuse([_problem(check, where) for check, where in found if check.breaches and check.on_breach is OnBreach.fail])
    checks = (*task.checks, *(check for check, _ in found))
    _write(connection, task, checks)
    return checks


def _problem(check: Check, where: str) -> DataError:
    return DataError(f"{check.rule}: {'; '.join(check.examples)}", where=where, hint=_HINT)


def _checks(
    connection: sa.Connection, task: LoadTask, dataset: Dataset, expectation: Expectation
) -> Iterator[tuple[Check, str]]:
    table = expectation.table
    if table is None:
        return
    on_breach = expectation.breach_of_table()
    if table.change is not None:
        rule = f"change [{', '.join('null' if end is None else f'{end:g}' for end in table.change)}]"
        example = _change(connection, task, dataset, table.change, table.runs)
        yield (
            Check(
                dataset=dataset.name,
                rule=rule,
                on_breach=on_breach,
                rows=dataset.rows,
                breaches=int(bool(example)),
                examples=(example,) if example else (),
                whole=True,
            ),
            f"expect.{dataset.name}.table.change",
        )
    for column, place in table.references.items():
        where = f"expect.{dataset.name}.table.references.{column}"
        with telling(f"looking up {dataset.name}.{column} in {place}"):
            breaches, examples = _strangers(connection, dataset, column, place, where)
        check = Check(
            dataset=dataset.name,
            rule=f"{column} references {place}",
            on_breach=on_breach,
            rows=dataset.rows,
            breaches=breaches,
            examples=tuple(examples),
        )
        yield check, where


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


def _strangers(
    connection: sa.Connection, dataset: Dataset, column: str, place: str, where: str
) -> tuple[int, list[str]]:
    """Count the rows whose value the referenced column lacks; a missing value refers to nothing."""
    schema, table, name = place.split(".")
    kind = connection.execute(_TYPE, {"schema": schema, "table": table, "column": name}).scalar()
    if kind is None:
        hint = "Name a column that is there; its table may be one that this run loads."
        raise SpecError(f"there is no {place}", where=where, hint=hint)
    # Dropped again before anybody else could see it; temporary tables are not for the role `load`.
    values = sa.table(
        f"referring_{driver(connection).info.backend_pid}", sa.column("value"), sa.column("rows"), schema=STAGING
    )
    known = sa.table(table, sa.column(name), schema=schema)
    connection.execute(sa.text(f"create unlogged table {values.fullname} (value {kind}, rows bigint)"))
    _copy_values(connection, values.name, dataset, column, where)
    connection.execute(sa.text(f"analyze {values.fullname}"))
    missing = ~sa.exists(sa.select(sa.literal(1)).select_from(known).where(known.c[name] == values.c.value))
    rows = sa.func.sum(values.c.rows)
    strange = sa.select(values.c.value, rows.label("rows")).where(missing).group_by(values.c.value).subquery()
    total = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(strange.c.rows), 0))).scalar_one()
    worst = sa.select(sa.cast(strange.c.value, sa.Text), strange.c.rows)
    worst = worst.order_by(strange.c.rows.desc(), strange.c.value).limit(_EXAMPLES)
    examples = [f"'{value}' in {count:,} rows" for value, count in connection.execute(worst)]
    connection.execute(sa.text(f"drop table {values.fullname}"))
    return int(total), examples


def _copy_values(connection: sa.Connection, table: str, dataset: Dataset, column: str, where: str) -> None:
    """Send each batch's values once, with their number, as text that becomes the referenced column's type."""
    with reading(dataset) as parquet:
        if column not in parquet.schema_arrow.names:
            hint = f"The dataset has: {', '.join(parquet.schema_arrow.names)}."
            raise SpecError(f"there is no column '{column}'", where=where, hint=hint)
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
