"""Says what a mode must know: what it needs, what it refuses, and how it merges."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, LiteralString, NamedTuple

import sqlalchemy as sa

from etl_contract import DataError, SpecError, StageError
from etl_load._job import Job, Own


class Counts(NamedTuple):
    """What a merge did to the table's rows."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class Index(NamedTuple):
    """An index of a table: its columns, how it is built, and which rows it has."""

    columns: tuple[str, ...]
    method: str = "btree"
    unique: bool = False
    where: LiteralString = ""


class Mode(ABC):
    """A way in which a dataset's rows meet those of a table.

    The load asks in this order: `problems` of the plan, before anything is written; `row_problems` of the staged rows,
    before the table is touched; `merge`, inside the one transaction, with the table locked against other loads.

    Attributes:
        direct: whether the rows are copied into the table by `merge`, not into a staging table before it.
    """

    direct: ClassVar[bool] = False

    def whole(self, job: Job) -> bool:
        """Tell whether what the dataset lacks is taken from the table, so that it must have all that there is."""
        return job.target.deletes_missing

    def key(self, job: Job) -> tuple[str, ...]:
        """Name the columns that identify a row: a new table's primary key, which an existing one must have too."""
        return job.target.key

    def indexes(self, job: Job) -> tuple[Index, ...]:  # noqa: ARG002 - most modes need none
        """Give the indexes that a new table needs."""
        return ()

    def own(self, job: Job) -> tuple[Own, ...]:  # noqa: ARG002 - most modes need none
        """Give the columns that the mode adds to the dataset's."""
        return ()

    def problems(self, job: Job) -> Iterator[StageError]:
        """Find what is wrong with the plan."""
        where = f"{job.where}.key"
        for name in job.target.key:
            if name not in job.names:
                hint = f"The dataset has: {', '.join(job.names)}."
                yield SpecError(f"there is no column '{name}'", where=where, hint=hint)
            elif job.kind(name) is None and job.dataset.rows:
                hint = "Give each row its key in the transform."
                yield DataError(f"'{name}' is missing in all {job.dataset.rows} rows", where=where, hint=hint)
        for column in self.own(job):
            if column.name in job.names:
                hint = "Rename it in the transform."
                problem = f"mode '{job.target.mode}' has a column of the name '{column.name}' of its own"
                yield SpecError(problem, where=job.where, hint=hint)
        if self.whole(job) and job.follows_a_cursor:
            hint = "Load with mode 'upsert' or 'append', or read the source without 'cursor'."
            words = f"mode '{job.target.mode}'{" with 'delete: missing'" if job.target.delete else ''}"
            problem = f"{words} needs all rows, but a cursor gives only those since the last run"
            yield SpecError(problem, where=f"{job.where}.mode", hint=hint)

    def row_problems(self, connection: sa.Connection, job: Job) -> Iterator[StageError]:  # noqa: ARG002 - as above
        """Find what is wrong with the rows."""
        yield from ()

    @abstractmethod
    def merge(self, connection: sa.Connection, job: Job, table: sa.Table) -> Counts:
        """Bring the rows into the table."""
