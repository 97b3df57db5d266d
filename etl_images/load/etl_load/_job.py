"""Describes the work: one dataset on its way into one table."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from etl_contract import Dataset, Interval, LoadTarget, LoadTask
from etl_load._cells import Cells
from etl_load._columns import Column, Kind

STAGING = "staging"
_VERSIONS = {"etag", "last-modified"}  # what a web source remembers of a document that it reads whole


class Own(NamedTuple):
    """A column that a mode adds to its tables, with the same value in every row that a load brings."""

    name: str
    kind: Kind
    value: Any
    array: pa.Array

    @property
    def cells(self) -> Cells:
        """Encode the value."""
        return self.kind.encode(self.array)


@dataclass(frozen=True)
class Job:
    """One dataset on its way into one table; `direct` if its rows go there without a staging table."""

    task: LoadTask
    dataset: Dataset
    target: LoadTarget
    columns: tuple[Column, ...]
    parquet: pq.ParquetFile
    direct: bool = False
    sent: Counter[str] = field(default_factory=Counter)  # rows and bytes that went over to the server

    @property
    def where(self) -> str:
        """Name the place in the pipeline file."""
        return f"load.{self.dataset.name}"

    @property
    def interval(self) -> Interval:
        """Give the run's interval."""
        return self.task.interval

    @property
    def follows_a_cursor(self) -> bool:
        """Tell whether the rows are those since the run before, so that reading the interval again gives others."""
        return any(mark.field not in _VERSIONS for mark in self.task.watermarks)

    @property
    def quoted(self) -> str:
        """Write the target table as SQL does."""
        schema, _, name = self.target.table.partition(".")
        return f'"{schema}"."{name}"'

    def kind(self, name: str) -> Kind | None:
        """Give the kind of a column, None where it has none or is not there."""
        return next((column.kind for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def stored(self) -> tuple[Column, ...]:
        """Give the columns that the table has, too: all but the flag of rows that are gone."""
        return tuple(column for column in self.columns if column.name != self.target.flag)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Name the columns that the table has, too."""
        return tuple(column.name for column in self.stored)

    @cached_property
    def staging(self) -> sa.Table:
        """Describe the staging table: the same for every try of a run, so that a try finds what a killed one left."""
        identity = f"{self.task.pipeline}\n{self.task.run_id}\n{self.dataset.name}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        name = f"{self.task.pipeline[:20]}_{self.dataset.name[:20]}_{digest}"
        typed = [sa.Column(column.name, column.kind.sql) for column in self.columns if column.kind]
        return sa.Table(name, sa.MetaData(), *typed, schema=STAGING, prefixes=["UNLOGGED"])

    def value(self, name: str) -> sa.ColumnElement[Any]:
        """Give a column of the staged rows as an expression."""
        return self.staging.c[name] if self.kind(name) else sa.null()

    def read(self, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Read one row group after the other: asked for all at once, pyarrow reads ahead through the whole file."""
        for group in range(self.parquet.num_row_groups):
            yield from self.parquet.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)
