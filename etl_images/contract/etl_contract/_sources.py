"""Models the sources that extract reads: the first field is the kind, the rest are that kind's own.

A field's `description` is what docs/pipelines.md prints; so in every model of a section.
"""

import re
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, Tag, model_validator

from etl_contract._files import FilesSource
from etl_contract._model import Model
from etl_contract._web import HttpSource
from etl_contract._words import Column, Name, SourceTable, Span, Sql, by_kind, kind, timedelta_of

_OWN = ("source", "warehouse")
_INTERVAL = re.compile(r"(?<![:\\\w]):(start|end|first_day|last_day)\b")


class SqlSource(Model):
    """Rows of a table or of a query, read through a connection."""

    sql: Name = Field(description="The connection to read through, such as `source` or `warehouse`.")
    table: SourceTable | None = Field(
        default=None, description="The table or view to read, as its database names it: `orders`, `sales.Orders`."
    )
    columns: tuple[Column, ...] = Field(default=(), description="The table's columns to read; all where none is given.")
    where: Sql | None = Field(
        default=None,
        description="Which of the table's rows to read, as a condition of SQL with `:start`, `:end` and parameters.",
    )
    query: Sql | None = Field(
        default=None,
        description="The query to read instead; `:start` and `:end` are bound to the run's interval, `:first_day` and "
        "`:last_day` to its days, and each of the pipeline's `params` to its value.",
    )
    cursor: Column | None = Field(
        default=None,
        description="A column that only grows, such as `updated_at` or `id`: a run reads the rows after the largest "
        "value that was loaded, whatever its interval. Its table is then loaded by append, upsert or history.",
    )
    lookback: Annotated[int, Field(ge=0)] | Span | None = Field(
        default=None,
        description="How far before that value to read again, for rows that come late: `2 days`, or a whole number.",
    )

    @property
    def lookback_step(self) -> timedelta | int | None:
        """Give the lookback as what is taken from the watermark."""
        return timedelta_of(self.lookback) if isinstance(self.lookback, str) else self.lookback

    @property
    def connections(self) -> tuple[str, ...]:
        """Name the connections whose secrets extract must see; the warehouse has the watermarks."""
        return (self.sql, "warehouse") if self.cursor else (self.sql,)

    @property
    def remote(self) -> bool:
        """Say whether extract needs a way out of the platform, to a server that is not its own."""
        return self.sql not in _OWN

    @property
    def reads_interval(self) -> bool:
        """Say whether it asks for the rows of the run's interval, which no run about another one reads."""
        return bool(_INTERVAL.search(f"{self.query or ''} {self.where or ''}"))

    @model_validator(mode="after")
    def _one_of_table_and_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query', not both and not neither")
        if self.query is not None and (self.columns or self.where is not None):
            raise ValueError("'columns' and 'where' belong to 'table'; write them into the query")
        if self.lookback is not None and self.cursor is None:
            raise ValueError("'lookback' belongs to 'cursor', which is not there")
        return self


_KINDS = ("sql", "http", "files")
Source = Annotated[
    Annotated[SqlSource, Tag("[sql]")] | Annotated[HttpSource, Tag("[http]")] | Annotated[FilesSource, Tag("[files]")],
    by_kind(*_KINDS),
    kind("source", *_KINDS),
]
Extract = Annotated[dict[Name, Source], Field(min_length=1)]
