"""Merges all staged datasets of a run in one transaction: all of them are in the warehouse, or none."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from etl_contract import Check, Load, LoadTask
from etl_load._checks import check_merged
from etl_load._faults import explaining
from etl_load._job import Job
from etl_load._ledger import record
from etl_load._lookup import existing
from etl_load._modes import MODES, Counts
from etl_load._progress import telling
from etl_load._quarantine import keep
from etl_load._refresh import empty
from etl_load._set_aside import set_aside
from etl_load._staging import unstage
from etl_load._state import remember
from etl_load._table import complete, prepare, table_of
from etl_load._warehouse import lock_key

log = structlog.get_logger()


class Merged(NamedTuple):
    """What a merge did, found and left: lines of the ledger, checks, and the types of each table's columns."""

    loads: tuple[Load, ...]
    checks: tuple[Check, ...]
    columns: dict[str, Mapping[str, str]]


def merge(connection: sa.Connection, task: LoadTask, jobs: Sequence[Job]) -> Merged:
    """Lock the tables, make those that are missing, write the books, merge by mode, check, drop the staging tables."""
    with explaining("load"), connection.begin():
        for table in sorted(job.target.table for job in jobs):  # in one order everywhere, so that no two loads deadlock
            with telling(f"waiting for another load of {table}"):
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_key(table))))
        remember(connection, task)
        keep(connection, task)
        merged = [_merge(connection, job) for job in jobs]
        checks = check_merged(connection, task, [check for _, found, _ in merged for check in found])
    columns = {load.table: types for load, _, types in merged}
    return Merged(tuple(load for load, _, _ in merged), checks, columns)


def _merge(connection: sa.Connection, job: Job) -> tuple[Load, tuple[Check, ...], Mapping[str, str]]:
    started = time.monotonic()
    with explaining(job.where), telling(f"merging {job.dataset.name} into {job.target.table}"):
        job, checks = set_aside(connection, job)
        is_new = existing(connection, job.target.table) is None
        job = prepare(connection, job)
        emptied = empty(connection, job, table_of(job)) if job.task.full_refresh else 0
        counts = Counts() if job.is_idle else MODES[job.target.mode].merge(connection, job, table_of(job))
        counts = counts._replace(deleted=emptied + counts.deleted)
        types = complete(connection, job, is_new=is_new)
        load = record(connection, job, counts)
        if not job.direct:
            unstage(connection, job)
    log.info(
        "merged %s into %s",
        job.dataset.name,
        job.target.table,
        mode=str(job.target.mode),
        **counts._asdict(),
        seconds=round(time.monotonic() - started, 2),
    )
    return load, checks, types
