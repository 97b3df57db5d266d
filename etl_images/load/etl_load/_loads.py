"""Describes the ledger `etl.loads`, and finds in it what was loaded before."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_load._job import Job

REFRESH = "refresh"  # the mode of a load that replaced all rows of a table, whatever the pipeline file says
LOADS = sa.Table(
    "loads",
    sa.MetaData(schema="etl"),
    sa.Column("load_id", sa.Uuid, primary_key=True),
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("target_table", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("interval_start", sa.DateTime(timezone=True), nullable=False),
    sa.Column("interval_end", sa.DateTime(timezone=True), nullable=False),
    sa.Column("rows_staged", sa.BigInteger, nullable=False),
    sa.Column("rows_inserted", sa.BigInteger, nullable=False),
    sa.Column("rows_updated", sa.BigInteger, nullable=False),
    sa.Column("rows_deleted", sa.BigInteger, nullable=False),
    sa.Column("rows_quarantined", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("table_id", pg.OID),
    sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
)


def table_id(job: Job) -> sa.ColumnElement[int]:
    """Give the number of the job's table as it is now; null where there is none."""
    return sa.cast(sa.func.to_regclass(job.place.as_string()), pg.OID)


def lines_of(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    """Choose the lines that tell what the pipeline's dataset did to this table, in any run."""
    is_its = LOADS.c.table_id == table_id(job)
    return LOADS.c.pipeline == job.task.pipeline, LOADS.c.dataset == job.dataset.name, is_its
