"""Lists a table's rows as text, as the page shows them."""

import difflib
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from etl_contract import ReportTable, SpecError
from etl_visualize._encoding import title_of
from etl_visualize._number import formatted
from etl_visualize._table import Table
from etl_visualize._warehouse import Warehouse

_NUMBERS = (int, float, Decimal, timedelta)


class Heading(NamedTuple):
    """A column's name for people, and whether it is of numbers, which stand to the right."""

    title: str
    number: bool


class Listing(NamedTuple):
    """A table as the page shows it; `table` holds its values."""

    given: ReportTable
    table: Table

    @property
    def headings(self) -> list[Heading]:
        """Give the columns."""
        columns = self.table.columns.items()
        return [Heading(title_of(name), issubclass(kind, _NUMBERS) and kind is not bool) for name, kind in columns]

    @property
    def cells(self) -> list[list[str]]:
        """Give the rows as text."""
        formats = self.given.formats
        rows = self.table.rows
        return [[formatted(value, formats.get(name, "")) for name, value in row.items()] for row in rows]


def list_rows(number: int, given: ReportTable, warehouse: Warehouse) -> Listing:
    """Run a table's query.

    Raises:
        SpecError: the query is wrong, or gives no column of which a format is given.
    """
    where = f"table {number} '{given.title}'"
    table = warehouse.first(given.sql, where, given.rows)
    for name in given.formats:
        if name not in table.columns:
            close = difflib.get_close_matches(name, table.columns, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"It gives {', '.join(table.columns)}."
            raise SpecError(f"the query gives no column '{name}'.", where=f"{where}, formats", hint=hint)
    return Listing(given, table)
