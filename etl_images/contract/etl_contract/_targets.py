"""Models where load puts datasets: tables of the warehouse."""

from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from etl_contract._model import Model
from etl_contract._words import Column, TableName


class LoadMode(StrEnum):
    """How rows meet those that are already there."""

    partition = "partition"  # type: ignore[assignment]  # it hides str.partition, which nobody wants of a mode
    upsert = "upsert"


class LoadTarget(Model):
    """A table of the warehouse, and how its rows are merged."""

    table: TableName = Field(description="The table, with its schema; `mart` where none is given.")
    mode: LoadMode = Field(
        description="`partition` replaces the interval's partitions whole; `upsert` updates rows by their key."
    )
    key: tuple[Column, ...] = Field(default=(), description="The columns that name a row; needed by `upsert`.")
    partition: Column | None = Field(
        default=None, description="The date column whose days are replaced; needed by `partition`."
    )

    @field_validator("table")
    @classmethod
    def _qualified(cls, table: str) -> str:
        return table if "." in table else f"mart.{table}"

    @field_validator("key")
    @classmethod
    def _distinct(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(key)) != len(key):
            raise ValueError("names a column twice")
        return key

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Self:
        if self.mode is LoadMode.upsert and not self.key:
            raise ValueError("key: required for mode 'upsert', but not there")
        if self.mode is LoadMode.partition and self.partition is None:
            raise ValueError("partition: required for mode 'partition', but not there")
        if self.mode is LoadMode.upsert and self.partition is not None:
            raise ValueError("partition: has no meaning for mode 'upsert'")
        return self
