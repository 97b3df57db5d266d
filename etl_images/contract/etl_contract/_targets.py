"""Models where load puts datasets: tables of the warehouse."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from etl_contract._column_type import ColumnType
from etl_contract._model import Model
from etl_contract._words import Column, TableName


class LoadMode(StrEnum):
    """How rows meet those that are already there."""

    append = "append"
    replace = "replace"  # type: ignore[assignment]  # they hide methods of str, which nobody wants of a mode
    partition = "partition"  # type: ignore[assignment]
    upsert = "upsert"
    history = "history"


_BY_KEY = (LoadMode.upsert, LoadMode.history)
_MISSING = "missing"
Columns = Annotated[tuple[Column, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]


class SchemaChange(StrEnum):
    """What happens where a dataset and its table differ."""

    evolve = "evolve"
    frozen = "frozen"


class LoadTarget(Model):
    """A table of the warehouse, and how its rows are merged."""

    model_config = ConfigDict(serialize_by_alias=True)  # a field `schema` would hide pydantic's own

    table: TableName = Field(description="The table, with its schema; `mart` where none is given.")
    mode: LoadMode = Field(
        description="`append` adds the interval's rows; `replace` replaces all rows; `partition` replaces the "
        "interval's days whole; `upsert` updates rows by their key; `history` keeps every version of a row."
    )
    key: Columns = Field(
        default=(),
        description="The columns that name a row, a new table's primary key; needed by `upsert` and `history`.",
    )
    partition: Column | None = Field(
        default=None, description="The date column whose days are replaced; needed by `partition`."
    )

    delete: Column | None = Field(
        default=None,
        description="Which rows are deleted, by `upsert`, or closed, by `history`: `missing`, those that the dataset "
        "lacks; or the column of the dataset that is true, or has a time, in those that are gone.",
    )

    columns: dict[Column, ColumnType] = Field(
        default={}, description="The types of columns, by name, where the dataset's are not those wanted."
    )
    indexes: tuple[Columns, ...] = Field(
        default=(), description="What to index beside the key: a column, or a list of columns, each."
    )
    comment: str | None = Field(
        default=None, description="What the table is, for those who look at it in the warehouse."
    )
    comments: dict[Column, str] = Field(default={}, description="What columns are, by name.")
    changes: SchemaChange = Field(
        default=SchemaChange.evolve,
        alias="schema",
        description="`evolve` adds columns to the table and widens their types; `frozen` refuses every difference.",
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
        if self.mode in _BY_KEY and not self.key:
            raise ValueError(f"key: required for mode '{self.mode}', but not there")
        if self.mode is LoadMode.partition and self.partition is None:
            raise ValueError("partition: required for mode 'partition', but not there")
        if self.mode is not LoadMode.partition and self.partition is not None:
            raise ValueError(f"partition: has no meaning for mode '{self.mode}'")
        if self.mode not in _BY_KEY and self.delete is not None:
            raise ValueError(f"delete: has no meaning for mode '{self.mode}'")
        if self.delete in self.key:
            raise ValueError(f"delete: '{self.delete}' is a column of the key")
        return self

    @property
    def flag(self) -> str | None:
        """Name the column that marks rows as gone; it is not stored."""
        return None if self.deletes_missing else self.delete

    @property
    def deletes_missing(self) -> bool:
        """Tell whether rows that the dataset lacks are gone."""
        return self.delete == _MISSING
