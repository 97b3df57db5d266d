"""Puts a dataset into its staging table, and clears up what dead loads left."""

import re
import time

import sqlalchemy as sa
import structlog

from etl_contract import Unavailable
from etl_load._copy import copy_into
from etl_load._faults import explaining
from etl_load._job import STAGING, Job
from etl_load._progress import telling
from etl_load._warehouse import lock_key

log = structlog.get_logger()


def claim(connection: sa.Connection, job: Job) -> None:
    """Wait until no other try of this run is loading the dataset; the claim ends with the connection."""
    key = lock_key(job.staging.fullname)
    with explaining(job.where), telling(f"waiting for another try that stages {job.dataset.name}"):
        connection.execute(sa.select(sa.func.pg_advisory_lock(key)))
        connection.commit()


def stage(connection: sa.Connection, job: Job) -> None:
    """Make the staging table anew and copy the dataset into it.

    Raises:
        DataError: a value is none that PostgreSQL can store; says which, and where.
    """
    started = time.monotonic()
    encoders = {column.name: column.kind.encode for column in job.columns if column.kind}
    with explaining(job.where), connection.begin(), telling(f"staging {job.dataset.name}", job.sent):
        unstage(connection, job)
        job.staging.create(connection, checkfirst=False)
        copy_into(connection, job, job.staging, encoders)
    log.info("staged %s", job.dataset.name, **job.sent, seconds=round(time.monotonic() - started, 2))


def unstage(connection: sa.Connection, job: Job) -> None:
    """Drop the staging table, if it is there."""
    connection.execute(sa.schema.DropTable(job.staging, if_exists=True))


def sweep(connection: sa.Connection) -> None:
    """Drop the staging tables of loads that died and never came again: nobody holds their claim."""
    ours = "select tablename from pg_tables where schemaname = :schema and tableowner = current_user"
    with explaining("schema staging"), connection.begin():
        names = connection.execute(sa.text(ours), {"schema": STAGING}).scalars().all()
    for name in names:
        if re.search(r"_[0-9a-f]{16}$", name):
            _sweep(connection, sa.Table(name, sa.MetaData(), schema=STAGING))


def _sweep(connection: sa.Connection, table: sa.Table) -> None:
    free = sa.select(sa.func.pg_try_advisory_xact_lock(lock_key(table.fullname)))
    try:
        with explaining("schema staging"), connection.begin():
            if connection.execute(free).scalar_one():
                connection.execute(sa.text("set local lock_timeout = '1s'"))
                connection.execute(sa.schema.DropTable(table, if_exists=True))
                log.info("dropped %s, left by a load that died", table.fullname)
    except Unavailable:
        log.warning(
            "%s is left by a load that died, but someone is reading it; the next load tries again", table.fullname
        )
