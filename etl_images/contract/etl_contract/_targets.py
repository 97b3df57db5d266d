"""Models where load puts datasets: tables of the warehouse."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from etl_contract._model import Model
from etl_contract._words import Column, TableName


class LoadMode(StrEnum):
    """How rows meet those that are already there."""

    append = "append"
    replace = "replace"  # type: ignore[assignment]  # they hide methods of str, which nobody wants of a mode
    partition = "partition"  # type: ignore[assignment]
    upsert = "upsert"


_NEEDS_KEY = (LoadMode.upsert,)
Columns = Annotated[tuple[Column, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]


class LoadTarget(Model):
    """A table of the warehouse, and how its rows are merged."""

    table: TableName = Field(description="The table, with its schema; `mart` where none is given.")
    mode: LoadMode = Field(
        description="`append` adds the interval's rows; `replace` replaces all rows; `partition` replaces the "
        "interval's days whole; `upsert` updates rows by their key."
    )
    key: Columns = Field(
        default=(), description="The columns that name a row, a new table's primary key; needed by `upsert`."
    )
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
        if self.mode in _NEEDS_KEY and not self.key:
            raise ValueError(f"key: required for mode '{self.mode}', but not there")
        if self.mode is LoadMode.partition and self.partition is None:
            raise ValueError("partition: required for mode 'partition', but not there")
        if self.mode is not LoadMode.partition and self.partition is not None:
            raise ValueError(f"partition: has no meaning for mode '{self.mode}'")
        return self
