"""Models the report that visualize draws."""

from pydantic import Field, JsonValue

from etl_contract._model import Model
from etl_contract._words import Sql


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
