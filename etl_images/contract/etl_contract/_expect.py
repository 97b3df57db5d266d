"""Models what datasets are expected to be: rules over columns, rows and the whole, and what a breach does."""

import json
import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from etl_contract._model import Model
from etl_contract._words import Column, Name, Span, Sql, matching, timedelta_of

_WORD = "[a-z][a-z0-9_]{0,62}"
MOST_RULES = 200  # of a dataset: what came of each travels in the next stage's task


class OnBreach(StrEnum):
    """What happens to a run, or to the rows, when a rule is breached."""

    fail = "fail"
    quarantine = "quarantine"
    warn = "warn"


class ColumnType(StrEnum):
    """Families of types; a width is no matter of a check."""

    boolean = "boolean"
    integer = "integer"
    decimal = "decimal"
    float = "float"
    number = "number"
    text = "text"
    binary = "binary"
    date = "date"
    time = "time"
    timestamp = "timestamp"
    timestamptz = "timestamptz"
    interval = "interval"
    list = "list"
    struct = "struct"


def _a_tolerance(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    if isinstance(value, bool) or (isinstance(value, float) and not 0 <= value <= 1):
        raise ValueError(f"{value} is neither a share, such as 0.01, nor a count of rows, such as 5")
    return value


def _a_word(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """Write dates and times as ISO 8601 does, so that a task's JSON gives back what the file said."""
    return value.isoformat() if isinstance(value, date | datetime) else value


def _finite(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{str(value).lower()} is no bound; write null for an open end")
    return value


def _two_ends(ends: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(ends, list | tuple) and len(ends) != 2:  # noqa: PLR2004 - both ends
        raise ValueError("write the lower and the upper end, such as [0, null]")
    return ends


def _a_range(ends: tuple[Any, ...]) -> tuple[Any, ...]:
    low, high = ends
    if low is None and high is None:
        raise ValueError("both ends are open; give one")
    numbers = all(isinstance(end, int | float) for end in ends)
    texts = all(isinstance(end, str) for end in ends)
    if (numbers or texts) and low > high:
        raise ValueError(f"{low} is above {high}; write the lower end first")
    if None not in ends and not numbers and not texts:
        raise ValueError(f"{low!r} and {high!r} are of two kinds")
    return ends


Value = Annotated[bool | int | float | str, BeforeValidator(_a_word)]
Bound = Annotated[int | float | str, BeforeValidator(_finite), BeforeValidator(_a_word)]
Range = Annotated[tuple[Bound | None, ...], BeforeValidator(_two_ends), AfterValidator(_a_range)]
Sizes = Annotated[
    tuple[Annotated[int, Field(ge=0, strict=True)] | None, ...],
    BeforeValidator(_two_ends),
    AfterValidator(_a_range),
]
Factors = Annotated[
    tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, ...],
    BeforeValidator(_two_ends),
    AfterValidator(_a_range),
]
Tolerance = Annotated[
    Annotated[int, Field(ge=0, strict=True)] | Annotated[float, Field(ge=0, le=1)], BeforeValidator(_a_tolerance)
]
Reference = Annotated[
    str, *matching(rf"({_WORD}\.)?{_WORD}\.[^.]{{1,63}}", "a column of a table, such as mart.airlines.carrier")
]


class _Rules(Model):
    on_breach: OnBreach | None = Field(
        default=None,
        description="`fail` stops the run before anything is loaded; `quarantine` sets rows aside; `warn` only tells.",
    )
    tolerate: Tolerance | None = Field(
        default=None,
        description="How many rows may breach a rule: a share such as `0.01`, or a count such as `5`. More of them "
        "fail, or warn; more than that to quarantine fails, too.",
    )


class ColumnRules(_Rules):
    """What a column is expected to be; it has to be there."""

    type: ColumnType | None = Field(default=None, description="The family of its type.")
    nullable: bool = Field(default=False, description="Whether values may be missing.")
    unique: bool = Field(
        default=False, description="Whether each value stands once; all rows of a value that does not breach."
    )
    in_range: Range | None = Field(
        default=None, description="The least and the greatest value, both allowed; `null` for an open end."
    )
    one_of: Annotated[tuple[Value, ...], Field(min_length=1)] | None = Field(
        default=None, description="All the values that there are."
    )
    matches: str | None = Field(default=None, description="The regular expression (RE2) that the whole text matches.")
    length: Sizes | None = Field(
        default=None,
        description="The least and the greatest number of characters, bytes or elements; `null` for an open end.",
    )

    def words(self) -> Iterator[tuple[str, str]]:
        """Give the name of each rule that holds for the column, and how it reads."""
        if self.type is not None:
            yield "type", f"type {self.type}"
        if not self.nullable:
            yield "nullable", "not null"
        if self.unique:
            yield "unique", "unique"
        for name in ("in_range", "one_of", "matches", "length"):
            value = getattr(self, name)
            if value is not None:
                yield name, f"{name} {_shown(value)}"


class RowRule(_Rules):
    """What a row is expected to be."""

    that: Sql = Field(description="A condition in DuckDB's SQL over the row's columns.")
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="What the rule is called in logs and tables; the condition, where none is given."
    )

    @property
    def title(self) -> str:
        """Give the name, or else the condition on one line."""
        return self.name or " ".join(self.that.split())


class Freshness(Model):
    """How old the newest row may be when the run's interval ends."""

    column: Column = Field(description="The column of dates or times.")
    within: Span = Field(
        description="How long before the end of the run's interval the newest row may be, such as `2 days`."
    )

    @property
    def span(self) -> timedelta:
        """Give the span of time."""
        return timedelta_of(self.within)


class TableRules(_Rules):
    """What the rows that are left to load are expected to be, all in all."""

    rows: Sizes | None = Field(
        default=None, description="The least and the greatest number of rows; `null` for an open end."
    )
    change: Factors | None = Field(
        default=None,
        description="How the number of rows compares with the mean of the last loaded runs: `[0.5, 2]` is from half of "
        "it to twice.",
    )
    runs: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=7, description="How many runs of earlier intervals `change` looks back on."
    )
    fresh: Freshness | None = Field(default=None, description="How old the newest row may be.")
    references: dict[Column, Reference] = Field(
        default={}, description="The column of a warehouse table where each of a column's values has to be, by column."
    )

    @model_validator(mode="after")
    def _rows_are_there(self) -> Self:
        if self.references:
            return self
        if self.on_breach is OnBreach.quarantine:
            raise ValueError("only references have rows to set aside, not a rule over the whole; write fail or warn")
        if self.tolerate is not None:
            raise ValueError("tolerate counts rows, as only references do; leave it out")
        return self

    @field_validator("references")
    @classmethod
    def _qualified(cls, references: dict[str, str]) -> dict[str, str]:
        return {column: place if place.count(".") > 1 else f"mart.{place}" for column, place in references.items()}


class Expectation(_Rules):
    """What a dataset is expected to be."""

    fallback: ClassVar[OnBreach] = OnBreach.fail

    columns: dict[Column, ColumnRules] = Field(default={}, description="Rules for values, by column.")
    rows: tuple[RowRule, ...] = Field(default=(), description="Rules for rows.")
    table: TableRules | None = Field(default=None, description="Rules for the rows as a whole.")

    @model_validator(mode="after")
    def _has_rules(self) -> Self:
        if not (self.columns or self.rows or self.table):
            raise ValueError("expects nothing; give columns, rows or table")
        titles = [rule.title for rule in self.rows]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            raise ValueError(f"rows: two rules are called '{twice[0]}'")
        if len(self.columns) + len(self.rows) > MOST_RULES:
            raise ValueError(f"more than {MOST_RULES} columns and row rules; check what matters")
        return self

    def breach_of(self, rules: ColumnRules | RowRule) -> OnBreach:
        """Say what happens when a rule is breached: its own word, or the dataset's."""
        return rules.on_breach or self.on_breach or self.fallback

    def breach_of_table(self) -> OnBreach:
        """Say so of the rules over the whole; with `quarantine` for the rows, these still fail."""
        own = self.breach_of_references()
        return self.fallback if own is OnBreach.quarantine else own

    def breach_of_references(self) -> OnBreach:
        """Say so of the rows that refer to what is not there."""
        return (self.table and self.table.on_breach) or self.on_breach or self.fallback

    @property
    def tables_before(self) -> frozenset[str]:
        """Name the tables that have to be loaded first, since rows that refer to nothing in them are set aside."""
        if self.table is None or self.breach_of_references() is not OnBreach.quarantine:
            return frozenset()
        return frozenset(place.rpartition(".")[0] for place in self.table.references.values())

    def tolerance_of(self, rules: _Rules) -> int | float | None:
        """Say how many rows may breach a rule."""
        return self.tolerate if rules.tolerate is None else rules.tolerate

    def warehouse_part(self) -> "Expectation | None":
        """Give what can be checked in the warehouse only, or nothing."""
        if self.table is None or not (self.table.change or self.table.references):
            return None
        return self.model_copy(update={"columns": {}, "rows": ()})


class Check(Model):
    """What came of a rule: how many of the rows breached it, and some of them; `whole` is one over all rows at once."""

    dataset: str
    rule: str
    on_breach: OnBreach
    rows: int
    breaches: int
    examples: tuple[str, ...] = ()
    whole: bool = False


Expect = dict[Name, Expectation]


def is_tolerated(breaches: int, rows: int, tolerance: Tolerance | None) -> bool:
    """Compare with a count, or with a share exactly: as it stands in the file, not as a binary fraction."""
    if isinstance(tolerance, int):
        return breaches <= tolerance
    return breaches <= Decimal(repr(tolerance or 0.0)) * rows


def beyond(tolerance: Tolerance | None) -> str:
    """Say, after a number of rows, that this is too many."""
    if not tolerance:
        return ""
    return f", more than the {f'{100 * tolerance:g} %' if isinstance(tolerance, float) else f'{tolerance:,}'} tolerated"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line's worth
