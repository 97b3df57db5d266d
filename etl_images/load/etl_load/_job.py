"""Describes the work: one dataset on its way into one table."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from psycopg import sql

from etl_contract import Dataset, Interval, LoadTarget, LoadTask, TableRules
from etl_load._cells import Cells
from etl_load._columns import Column, Kind, SqlType, type_name
from etl_load._fit import fits

STAGING = "staging"


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
    """One dataset on its way into one table.

    Attributes:
        direct: whether its rows go there without a staging table.
        aside: how many of its rows load has set aside.
    """

    task: LoadTask
    dataset: Dataset
    target: LoadTarget
    columns: tuple[Column, ...]
    parquet: pq.ParquetFile
    direct: bool = False
    aside: int = 0
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
        return self.dataset.name not in self.task.whole and any(mark.cursor for mark in self.task.watermarks)

    @property
    def is_idle(self) -> bool:
        """Tell whether its source had no new file, so that the table stays as it is."""
        return self.dataset.name in self.task.idle

    @property
    def references_to_keep(self) -> TableRules | None:
        """Give the rules whose references set rows aside, if there are any."""
        expectation = self.task.expect.get(self.dataset.name)
        return expectation.table if expectation and expectation.tables_before else None

    @property
    def place(self) -> sql.Identifier:
        """Name the target table as SQL does."""
        return sql.Identifier(*self.target.table.split("."))

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

    def type_of(self, column: Column) -> str | None:
        """Name the type that a column is to have: the declared one, else the dataset's, None where it has none."""
        return self.target.columns.get(column.name) or (type_name(column.kind.sql) if column.kind else None)

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

    @cached_property
    def casts(self) -> Mapping[str, str]:
        """Give the declared types that the dataset's do not fit, so that their values must be converted."""
        declared = self.target.columns
        return {
            column.name: declared[column.name]
            for column in self.columns
            if column.kind and column.name in declared and not fits(type_name(column.kind.sql), declared[column.name])
        }

    def value(self, name: str) -> sa.ColumnElement[Any]:
        """Give a column of the staged rows as an expression, of its declared type if it has one."""
        if self.kind(name) is None:
            return sa.null()
        return sa.cast(self.staging.c[name], SqlType(self.casts[name])) if name in self.casts else self.staging.c[name]

    def read(self, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Read one row group after the other: asked for all at once, pyarrow reads ahead through the whole file."""
        for group in range(self.parquet.num_row_groups):
            yield from self.parquet.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)
