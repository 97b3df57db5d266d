"""Says what a mode must know: what it needs, what it refuses, and how it merges."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from etl_contract import StageError
from etl_load._job import Job


class Counts(NamedTuple):
    """What a merge did to the table's rows."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class Mode(ABC):
    """A way in which staged rows meet those of a table.

    The load asks in this order: `problems` of the plan, before anything is written; `row_problems` of the staged rows,
    before the table is touched; `merge`, inside the one transaction, with the table locked against other loads.
    """

    def key(self, job: Job) -> tuple[str, ...]:  # noqa: ARG002 - most modes have none
        """Name the columns that identify a row: a new table's primary key, which an existing one must have too."""
        return ()

    def indexes(self, job: Job) -> tuple[str, ...]:  # noqa: ARG002 - most modes need none
        """Name the columns that a new table needs an index on."""
        return ()

    def problems(self, job: Job) -> Iterator[StageError]:  # noqa: ARG002 - a mode may take anything
        """Find what is wrong with the plan."""
        yield from ()

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:  # noqa: ARG002 - as above
        """Find what is wrong with the staged rows."""
        yield from ()

    @abstractmethod
    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Bring the staged rows into the table."""


def insertion(job: Job, table: sa.Table, *without: sa.ColumnElement[bool]) -> sa.Insert:
    """Insert the staged rows, or those of them that meet the conditions."""
    staged = sa.select(*(job.value(name) for name in job.names)).select_from(job.staging).where(*without)
    return sa.insert(table).from_select(list(job.names), staged, include_defaults=False)


def changed(connection: sa.Connection, statement: sa.UpdateBase) -> int:
    """Run a statement, and count the rows that it changed."""
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
