"""Empties the tables of a full refresh, in the transaction in which their rows come anew."""

from collections.abc import Iterator

import sqlalchemy as sa

from etl_contract import DataError, StageError, refuse
from etl_load._job import Job
from etl_load._loads import LOADS, table_id
from etl_load._modes._rows import changed


def empty(connection: sa.Connection, job: Job, table: sa.Table) -> int:
    """Delete all rows of a table, and count them.

    Raises:
        DataError: rows would be lost that do not come again, since there are none to come, or others loaded them.
    """
    refuse(list(_problems(connection, job, table)))
    return changed(connection, sa.delete(table))


def _problems(connection: sa.Connection, job: Job, table: sa.Table) -> Iterator[StageError]:
    there = connection.execute(sa.select(sa.exists().select_from(table))).scalar_one()
    if there and not job.dataset.rows:
        problem = f"a full refresh would lose all rows of {job.target.table}, since its sources give none"
        hint = "Look into the log of extract: what has become of the source?"
        yield DataError(problem, where=job.where, hint=hint)
    who = LOADS.c.dataset + " of " + LOADS.c.pipeline
    of_others = sa.or_(LOADS.c.pipeline != job.task.pipeline, LOADS.c.dataset != job.dataset.name)
    others = sa.select(who).where(LOADS.c.table_id == table_id(job), of_others).distinct().order_by(who)
    if found := connection.execute(others).scalars().all():
        problem = f"a full refresh would lose what others have loaded into {job.target.table}: {', '.join(found)}"
        hint = "Trigger the run without 'full_refresh', or give each a table of its own."
        yield DataError(problem, where=job.where, hint=hint)
