"""Models what transform does: steps of SQL and of the author's functions."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Tag, model_validator

from etl_contract._model import Model
from etl_contract._words import Name, Sql, by_kind, by_shape, kind, matching

FunctionName = Annotated[
    str, *matching(r"[\w-]+\.py:[A-Za-z_]\w*", "a function of a file beside the pipeline, such as orders.py:clean")
]
_SQL_FILE = re.compile(r"[\w-]+\.sql")


class PandasTransform(Model):
    """A function of the twin file: DataFrames in, by name; DataFrames out, by name."""

    pandas: FunctionName = Field(description="File and function, such as `flights.py:enrich`.")
    batches: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Call the function again and again with so many rows of one dataset, and append what it returns.",
    )
    batches_of: Name | None = Field(
        default=None,
        description="The dataset that comes in batches; the function's first parameter where none is given.",
    )

    @property
    def file(self) -> str:
        """Name the author's file."""
        return self.pandas.partition(":")[0]

    @property
    def function(self) -> str:
        """Name the author's function."""
        return self.pandas.partition(":")[2]

    @model_validator(mode="after")
    def _batches_have_a_size(self) -> "PandasTransform":
        if self.batches_of is not None and self.batches is None:
            raise ValueError("batches: say how many rows, such as 100000")
        return self


class SqlTransform(Model):
    """Queries over datasets by name: a mapping of output and query, or statements, inline or in the twin file."""

    sql: Annotated[
        Annotated[dict[Name, Sql], Field(min_length=1), Tag("[mapping]")] | Annotated[Sql, Tag("[other]")],
        by_shape(mapping=dict),
    ] = Field(
        description="A query for each output, by its name; or the statements `create table NAME as select ...`, one "
        "for each output; or the file beside the pipeline where these stand, such as `orders.sql`."
    )

    @property
    def file(self) -> str | None:
        """Name the author's file, where the statements stand in one."""
        return self.sql if isinstance(self.sql, str) and _SQL_FILE.fullmatch(self.sql) else None


def _not_empty(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    if not steps:
        raise ValueError("the list has no step; write one, or leave 'transform' out")
    return steps


Step = Annotated[
    Annotated[PandasTransform, Tag("[pandas]")] | Annotated[SqlTransform, Tag("[sql]")],
    by_kind("pandas", "sql"),
    kind("transform", "pandas", "sql"),
]
Transform = Annotated[
    Annotated[tuple[Step, ...], AfterValidator(_not_empty), Tag("[list]")] | Annotated[Step, Tag("[other]")],
    by_shape(list=(list, tuple)),
]


def steps_of(transform: Transform | None) -> tuple[PandasTransform | SqlTransform, ...]:
    """Give a transform's steps, in order, also where it is only one or there is none."""
    if transform is None:
        return ()
    return transform if isinstance(transform, tuple) else (transform,)
