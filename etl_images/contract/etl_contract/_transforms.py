"""Models what transform does: the author's function."""

from typing import Annotated

from pydantic import Field

from etl_contract._model import Model
from etl_contract._words import kind, matching

FunctionName = Annotated[
    str, *matching(r"[\w-]+\.py:[A-Za-z_]\w*", "a function of a file beside the pipeline, such as orders.py:clean")
]


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


Transform = Annotated[PandasTransform, kind("transform", "pandas")]
