"""Models what an author may ask of each stage.

The first line of a section is its kind (`sql:`, `pandas:`); the rest are that kind's fields. A field's `description` is
what docs/pipelines.md prints.
"""

import difflib
import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from etl_contract._model import Model


def _matching(pattern: str, says: str) -> tuple[AfterValidator, WithJsonSchema]:
    """Refuse a text that does not match, in words instead of a regular expression."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' is not {says}")
        return text

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


_WORD = "[a-z][a-z0-9_]{0,62}"
Name = Annotated[str, *_matching(_WORD, "a name of lower-case letters, digits and _ (at most 63)")]
TableName = Annotated[
    str, *_matching(rf"{_WORD}(\.{_WORD})?", "a table such as mart.orders: lower-case letters, digits and _")
]
Sql = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FunctionName = Annotated[
    str, *_matching(r"[\w-]+\.py:[A-Za-z_]\w*", "a function of a file beside the pipeline, such as orders.py:clean")
]
Column = Annotated[str, StringConstraints(min_length=1, max_length=63)]


def _kind(noun: str, *kinds: str) -> BeforeValidator:
    """Refuse a section that is of no known kind, before its fields are looked at."""

    def check(section: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        if not isinstance(section, dict) or not section or section.keys() & set(kinds):
            return section
        first = str(next(iter(section)))
        close = difflib.get_close_matches(first, kinds, n=1, cutoff=0.5)
        remedy = f"did you mean '{close[0]}'?" if close else f"write one of: {', '.join(kinds)}"
        raise ValueError(f"'{first}' is not a {noun}; {remedy}")

    return BeforeValidator(check)


class SqlSource(Model):
    """Rows of a table or of a query, read through a connection."""

    sql: Name = Field(description="The connection to read through, such as `source` or `warehouse`.")
    table: TableName | None = Field(default=None, description="The table or view to read, whole.")
    query: Sql | None = Field(
        default=None,
        description="The query to read instead; `:start` and `:end` are bound to the run's interval.",
    )

    @model_validator(mode="after")
    def _one_of_table_and_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query', not both and not neither")
        return self


Source = Annotated[SqlSource, _kind("source", "sql")]
Extract = Annotated[dict[Name, Source], Field(min_length=1)]


class PandasTransform(Model):
    """A function of the twin file: DataFrames in, by name; DataFrames out, by name."""

    pandas: FunctionName = Field(description="File and function, such as `flights.py:enrich`.")

    @property
    def file(self) -> str:
        """Name the author's file."""
        return self.pandas.partition(":")[0]

    @property
    def function(self) -> str:
        """Name the author's function."""
        return self.pandas.partition(":")[2]


Transform = Annotated[PandasTransform, _kind("transform", "pandas")]


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


class Chart(Model):
    """A chart in Vega-Lite's terms over a query against the warehouse."""

    title: str = Field(description="What stands above the chart.")
    sql: Sql = Field(
        description="The query against the warehouse; `:start`, `:end` (instants) and `:first_day`, `:last_day` "
        "(dates of the interval in the pipeline's time zone) are bound."
    )
    mark: str | dict[str, JsonValue] = Field(description="A Vega-Lite mark, such as `line`.")
    encoding: dict[str, str | dict[str, JsonValue]] = Field(
        description="Vega-Lite channels; a text such as `hour:O` or `mean(delay):Q` is short for field and type."
    )
    transform: tuple[dict[str, JsonValue], ...] = Field(default=(), description="Vega-Lite transforms, in order.")


class Visualize(Model):
    """The report of a run."""

    title: str = Field(description="The report's title.")
    charts: tuple[Chart, ...] = Field(default=(), description="The report's charts, in order.")
