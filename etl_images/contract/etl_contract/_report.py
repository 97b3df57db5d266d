"""Models the report that visualize draws: figures, charts, tables."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from etl_contract._model import Model
from etl_contract._words import Column, Sql, matching

_BOUND = "`:start`, `:end` (instants) and `:first_day`, `:last_day` (dates of the interval in the pipeline's time zone)"
NumberFormat = Annotated[str, *matching(r",?(\.\d{1,2})?[dfge%]?", "a format of numbers such as ',', ',.1f' or '.1%'")]


class Figure(Model):
    """One number, with how it changed."""

    label: str = Field(description="What the number is.")
    sql: Sql = Field(description=f"The query that gives it: one row, one column; {_BOUND} are bound.")
    format: NumberFormat = Field(
        default="", description="How it is written, as Vega-Lite and Python have it: `,d`, `,.1f`, `.1%`."
    )
    unit: str = Field(default="", description="What stands after it, small, such as `min`.")
    compare: bool | Sql = Field(
        default=True,
        description="What it is compared with: what the same query gives for the interval before, of the same length; "
        "what another query gives; or, with `false`, nothing.",
    )
    better: Literal["higher", "lower"] | None = Field(
        default=None, description="Which change is good news, and so is green; the other is red."
    )


class Chart(Model):
    """A chart in Vega-Lite's terms over a query against the warehouse."""

    title: str = Field(description="What stands above the chart.")
    sql: Sql = Field(description=f"The query against the warehouse; {_BOUND} are bound.")
    mark: str | dict[str, JsonValue] | None = Field(default=None, description="A Vega-Lite mark, such as `line`.")
    encoding: dict[str, str | dict[str, JsonValue]] = Field(
        default={},
        description="Vega-Lite channels; a text such as `hour:O` or `mean(delay):Q` is short for field and type.",
    )
    transform: tuple[dict[str, JsonValue], ...] = Field(default=(), description="Vega-Lite transforms, in order.")
    spec: dict[str, JsonValue] | None = Field(
        default=None,
        description="A whole Vega-Lite specification instead: layers, facets, parameters; its `data` are the query's.",
    )

    @model_validator(mode="after")
    def _short_or_whole(self) -> Self:
        if self.spec is None and self.mark is None:
            raise ValueError("mark: required, but not there; or write a whole 'spec'")
        if self.spec is None and not self.encoding:
            raise ValueError("encoding: required, but not there; or write a whole 'spec'")
        if self.spec is not None and (self.mark is not None or self.encoding or self.transform):
            raise ValueError("spec: stands alone; put mark, encoding and transform into it")
        return self


class ReportTable(Model):
    """Rows to read."""

    title: str = Field(description="What stands above the table.")
    sql: Sql = Field(description=f"The query that gives its rows; {_BOUND} are bound.")
    rows: Annotated[int, Field(ge=1, le=500)] = Field(
        default=20, description="The most rows that are shown; the table says so where there are more."
    )
    formats: dict[Column, NumberFormat] = Field(default={}, description="How numbers are written, by column.")


class Visualize(Model):
    """The report of a run."""

    title: str = Field(description="The report's title.")
    figures: tuple[Figure, ...] = Field(default=(), description="The numbers at its head, in order.")
    charts: tuple[Chart, ...] = Field(default=(), description="The report's charts, in order.")
    tables: tuple[ReportTable, ...] = Field(default=(), description="The tables below, in order.")
