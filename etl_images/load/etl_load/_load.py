"""Loads the datasets of a run: plan, stage, check, merge."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress

import sqlalchemy as sa
import structlog

from etl_contract import LoadTask, Outcome, StageError, StageResult, refuse
from etl_load._casts import value_problems
from etl_load._job import Job
from etl_load._merge import merge
from etl_load._modes import MODES
from etl_load._plan import plan
from etl_load._staging import claim, stage, sweep, unstage
from etl_load._table import table_problems
from etl_load._warehouse import warehouse

log = structlog.get_logger()


def load_into(uri: str, task: LoadTask) -> StageResult:
    """Load the task's datasets into the warehouse at `uri`.

    Raises:
        SpecError: the pipeline asks for what cannot be; nothing was written.
        DataError: rows do not fit their table or mode; nothing was merged.
        Unavailable: the warehouse went away; the transaction is either whole or not there, and a retry is safe.
    """
    log.info("loading %s datasets", len(task.spec), interval=str(task.interval))
    with ExitStack() as files:
        jobs = plan(task, files)
        with warehouse(uri, task) as connection:
            refuse([problem for job in jobs for problem in table_problems(connection, job)])
            connection.commit()
            sweep(connection)
            return _load(connection, task, jobs)


def _load(connection: sa.Connection, task: LoadTask, jobs: Sequence[Job]) -> StageResult:
    try:
        staged = [job for job in jobs if not job.direct]
        for job in sorted(
            staged, key=lambda job: job.staging.name
        ):  # in one order, as two tries of a run claim the same
            claim(connection, job)
            stage(connection, job)
        refuse([problem for job in jobs for problem in value_problems(connection, job)])
        refuse([problem for job in jobs for problem in MODES[job.target.mode].row_problems(connection, job)])
        connection.commit()
        merged = merge(connection, task, jobs)
    except StageError:
        _unstage(connection, jobs)
        raise
    return StageResult(
        outcome=Outcome.done,
        loads=merged.loads,
        checks=merged.checks,
        columns={table: tuple(types.items()) for table, types in merged.columns.items()},
        quarantined=task.quarantined,
        rows_in=sum(load.rows_staged for load in merged.loads),
        rows_out=sum(load.rows_inserted + load.rows_updated for load in merged.loads),
        bytes_out=sum(job.sent["bytes"] for job in jobs),
    )


def _unstage(connection: sa.Connection, jobs: Sequence[Job]) -> None:
    """Leave nothing behind; where the connection is gone, the next load sweeps."""
    with suppress(sa.exc.SQLAlchemyError):
        connection.rollback()
        with connection.begin():
            for job in jobs:
                unstage(connection, job)
