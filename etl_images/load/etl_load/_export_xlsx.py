"""Writes a workbook of one sheet, row by row, as a spreadsheet's user would want to find it."""

import math
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.types as of
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from etl_contract import DataError
from etl_load._endless import parted
from etl_load._export_text import NO_NUMBER, text

_MOST_CHARACTERS = 32_767
_MOST_DIGITS = 15  # a spreadsheet's numbers keep no more
_FIRST_YEAR = 1900  # it knows no earlier day
_WIDTH = 18


class About(NamedTuple):
    """What a workbook is about."""

    names: list[str]
    timezone: str
    where: str


def write_xlsx(batches: Iterable[pa.RecordBatch], sink: IO[bytes], folder: str, about: About) -> None:
    """Write the rows; instants as a clock in the time zone shows them, what a number cannot hold as text.

    Args:
        batches: the rows.
        sink: takes the workbook.
        folder: holds it while it is made.
        about: the columns, the time zone, and the place in the pipeline file.

    Raises:
        DataError: a text is longer than a cell takes.
    """
    path = Path(folder) / "book.xlsx"
    options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})  # the same rows are the same bytes
            sheet = _Sheet(book, about)
            for batch in batches:
                for values in zip(*(_values(column, about.timezone) for column in batch.columns), strict=True):
                    sheet.add(values)
    except FileCreateError as error:
        raise (error.args[0] if isinstance(error.args[0], OSError) else error) from error
    with path.open("rb") as made:
        shutil.copyfileobj(made, sink, 1024 * 1024)


class _Sheet:
    def __init__(self, book: xlsxwriter.Workbook, about: About) -> None:
        self._about = about
        self._sheet = book.add_worksheet("data")
        self._formats = {
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        self._row = 0
        bold = book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, max(0, len(about.names) - 1), _WIDTH)
        for column, name in enumerate(about.names):
            self._sheet.write_string(0, column, name, bold)

    def add(self, values: Sequence[Any]) -> None:
        """Write a row."""
        self._row += 1
        for column, value in enumerate(values):
            self._write(column, value)

    def _write(self, column: int, value: Any) -> None:  # noqa: ANN401 - any cell
        match value:
            case None:
                pass
            case bool():
                self._sheet.write_boolean(self._row, column, value)
            case int() | float() | Decimal() if _fits(value):
                self._sheet.write_number(self._row, column, float(value))
            case date() if value.year >= _FIRST_YEAR:
                self._sheet.write_datetime(self._row, column, value, self._formats[type(value)])
            case _:
                self._sheet.write_string(self._row, column, self._words(column, value))

    def _words(self, column: int, value: Any) -> str:  # noqa: ANN401 - any cell
        words = value.isoformat() if isinstance(value, date) else str(value)
        if isinstance(value, float):
            words = NO_NUMBER[words]
        if len(words) > _MOST_CHARACTERS:
            where = f"{self._about.where}, row {self._row}, column '{self._about.names[column]}'"
            hint = "Shorten it in the transform, or choose csv or parquet."
            problem = f"a text of {len(words):,} characters: a cell of xlsx takes {_MOST_CHARACTERS:,}"
            raise DataError(problem, where=where, hint=hint)
        return words


def _values(column: pa.Array, timezone: str) -> list[Any]:
    kind = column.type
    if of.is_date(kind) or of.is_timestamp(kind):
        return _times(column, ZoneInfo(timezone))
    if of.is_duration(kind):
        return [None if word is None else float(word) for word in text(column).to_pylist()]
    plain = of.is_primitive(kind) and not of.is_time(kind)
    return list((column if plain or of.is_decimal(kind) or of.is_null(kind) else text(column)).to_pylist())


def _times(column: pa.Array, zone: ZoneInfo) -> list[Any]:
    """Give dates, and instants as a clock shows them; as text what Python's clock cannot."""
    finite, _ = parted(column)
    if of.is_timestamp(finite.type):
        finite = finite.cast(pa.timestamp("us", finite.type.tz and "UTC"), safe=False)
    return [_time(value, zone) or word for value, word in zip(finite, text(column).to_pylist(), strict=True)]


def _time(value: pa.Scalar, zone: ZoneInfo) -> date | None:
    try:
        found: date | None = value.as_py()
        return found.astimezone(zone).replace(tzinfo=None) if isinstance(found, datetime) and found.tzinfo else found
    except OverflowError:
        return None


def _fits(number: float | Decimal) -> bool:
    """Tell whether a spreadsheet's number is this one."""
    if isinstance(number, float):
        return math.isfinite(number)
    exact = Decimal(number)
    return exact.is_finite() and len(exact.normalize().as_tuple().digits) <= _MOST_DIGITS
