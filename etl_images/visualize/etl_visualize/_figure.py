"""Measures the numbers at a report's head, and how they changed."""

from typing import NamedTuple

from pydantic import JsonValue

from etl_contract import Figure, SpecError
from etl_visualize._number import formatted, is_number
from etl_visualize._table import Table
from etl_visualize._warehouse import Warehouse


class Measured(NamedTuple):
    """A figure with its value, and the one before; None where there is none."""

    figure: Figure
    value: JsonValue
    previous: JsonValue = None

    @property
    def text(self) -> str:
        """Write the value."""
        return formatted(self.value, self.figure.format)

    @property
    def difference(self) -> float | None:
        """Give the change from the value before, where both are numbers."""
        if isinstance(self.value, int | float) and isinstance(self.previous, int | float):
            return self.value - self.previous
        return None

    @property
    def share(self) -> float | None:
        """Give the change as a share of the value before."""
        if self.difference is None or not isinstance(self.previous, int | float) or not self.previous:
            return None
        return self.difference / abs(self.previous)

    @property
    def direction(self) -> str:
        """Say which way it went: up, down or same; nothing where that is not known."""
        if self.difference is None:
            return ""
        return "same" if self.difference == 0 else "up" if self.difference > 0 else "down"

    @property
    def news(self) -> str:
        """Say whether that is good or bad; nothing where nobody said which is."""
        if self.figure.better is None or self.direction not in {"up", "down"}:
            return ""
        return "good" if (self.direction == "up") == (self.figure.better == "higher") else "bad"

    @property
    def change(self) -> str:
        """Write the change: a share of the value before, or points where the value is one itself."""
        if self.difference is None:
            return ""
        if self.figure.format.endswith("%"):
            return f"{abs(self.difference) * 100:,.1f} points"
        if self.share is None:
            return formatted(abs(self.difference), self.figure.format)
        return f"{abs(self.share):,.1%}"

    @property
    def before(self) -> str:
        """Write the value before."""
        return formatted(self.previous, self.figure.format)


def measure(number: int, figure: Figure, warehouse: Warehouse) -> Measured:
    """Run a figure's queries.

    Raises:
        SpecError: a query is wrong, or gives more than one value.
    """
    where = f"figure {number} '{figure.label}'"
    value = _value(warehouse.rows(figure.sql, where), where)
    if figure.compare is False:
        return Measured(figure, value)
    if figure.compare is True:
        before = warehouse.rows(figure.sql, where, before=True)
    else:
        before = warehouse.rows(figure.compare, f"{where}, compare")
    return Measured(figure, value, _value(before, where))


def _value(table: Table, where: str) -> JsonValue:
    """Take the one value of a result; None where there is no row."""
    if table.more or len(table.rows) > 1:
        count = "too many" if table.more else f"{len(table.rows):,}"
        hint = "Aggregate in the query, or make it a table."
        raise SpecError(f"the query gives {count} rows; a figure is one number.", where=where, hint=hint)
    if len(table.columns) != 1:
        hint = "Select only the number."
        problem = f"the query gives the columns {', '.join(table.columns)}; a figure is one number."
        raise SpecError(problem, where=where, hint=hint)
    value = next(iter(table.rows[0].values())) if table.rows else None
    # A whole number too large for JavaScript came as its text.
    return int(value) if isinstance(value, str) and is_number(value) else value
