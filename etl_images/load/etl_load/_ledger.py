"""Writes the ledger `etl.loads`: what each dataset of each run did to its table."""

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import Load
from etl_load._job import Job
from etl_load._loads import LOADS, REFRESH, table_id
from etl_load._modes import Counts

_ONE_LINE = ("pipeline", "run_id", "dataset", "target_table")


def record(connection: sa.Connection, job: Job, counts: Counts) -> Load:
    """Write what a merge did; a run has one line a dataset and table, and it tells of the last merge."""
    load_id = uuid.uuid4()
    before = sum(gone.rows for gone in job.task.quarantined if gone.name == job.dataset.name)
    line = {
        "load_id": load_id,
        "pipeline": job.task.pipeline,
        "run_id": job.task.run_id,
        "try_number": job.task.try_number,
        "dataset": job.dataset.name,
        "target_table": job.target.table,
        "mode": REFRESH if job.task.full_refresh else str(job.target.mode),
        "interval_start": job.interval.start,
        "interval_end": job.interval.end,
        "rows_staged": job.dataset.rows,
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_deleted": counts.deleted,
        "rows_quarantined": before + job.aside,
        "sha256": job.dataset.sha256,
        "table_id": table_id(job),
        "loaded_at": sa.func.clock_timestamp(),
    }
    insert = pg.insert(LOADS).values(line)
    anew = {name: insert.excluded[name] for name in line if name not in _ONE_LINE}
    connection.execute(insert.on_conflict_do_update(index_elements=_ONE_LINE, set_=anew))
    return Load(
        load_id=str(load_id),
        dataset=job.dataset.name,
        table=job.target.table,
        mode=str(job.target.mode),
        rows_staged=job.dataset.rows,
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_deleted=counts.deleted,
        rows_quarantined=before + job.aside,
    )
