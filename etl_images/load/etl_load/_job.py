"""Describes the work: one dataset on its way into one table."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from etl_contract import Dataset, Interval, LoadTarget, LoadTask
from etl_load._columns import Column, Kind

STAGING = "staging"


@dataclass(frozen=True)
class Job:
    """One dataset on its way into one table."""

    task: LoadTask
    dataset: Dataset
    target: LoadTarget
    columns: tuple[Column, ...]
    parquet: pq.ParquetFile

    @property
    def where(self) -> str:
        """Name the place in the pipeline file."""
        return f"load.{self.dataset.name}"

    @property
    def interval(self) -> Interval:
        """Give the run's interval."""
        return self.task.interval

    def kind(self, name: str) -> Kind | None:
        """Give the kind of a column, None where it has none or is not there."""
        return next((column.kind for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns, in their order."""
        return tuple(column.name for column in self.columns)

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
