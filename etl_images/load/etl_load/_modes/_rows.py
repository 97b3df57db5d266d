"""Brings rows into a table, and counts them."""

import sqlalchemy as sa

from etl_load._copy import copy_into
from etl_load._job import Job, Own
from etl_load._wire import encoders


def fill(connection: sa.Connection, job: Job, table: sa.Table, own: tuple[Own, ...] = ()) -> int:
    """Add all rows of the dataset to the table: from their staging table, or straight from their file."""
    if job.direct:
        return copy_into(connection, job, table, encoders(connection, job, table), own)
    return changed(connection, insertion(job, table, own=own))


def insertion(job: Job, table: sa.Table, *without: sa.ColumnElement[bool], own: tuple[Own, ...] = ()) -> sa.Insert:
    """Insert the staged rows, or those of them that meet the conditions."""
    values = [
        *(job.value(name) for name in job.stored_names),
        *(sa.literal(column.value, column.kind.sql) for column in own),
    ]
    staged = sa.select(*values).select_from(job.staging).where(*without)
    names = [*job.stored_names, *(column.name for column in own)]
    return sa.insert(table).from_select(names, staged, include_defaults=False)


def changed(connection: sa.Connection, statement: sa.UpdateBase) -> int:
    """Run a statement, and count the rows that it changed."""
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
