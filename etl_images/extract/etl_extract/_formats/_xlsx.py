"""Reads workbooks: a sheet, each cell as the text that a person would write for it."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.parsers.expat import ExpatError

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from etl_contract import DataError, DocumentSource
from etl_extract._document import Document, seekable
from etl_extract._faults import Faults, shown
from etl_extract._formats._table import MOST_CELLS, Block, Table, checked_header, same_columns
from etl_extract._formats._xlsx_errors import error_cells
from etl_extract._spool import CHUNK, Spool, too_large

# A workbook is read into memory.
MOST_UNPACKED = 256 * 1024 * 1024
_ANEW = "Open it in a spreadsheet, and save it anew as .xlsx without a password."


class XlsxTable(Table):
    """A sheet: the header in its first row, and a row for each that is not empty."""

    def __init__(self, source: DocumentSource, spool: Spool) -> None:
        self._source, self._spool = source, spool
        self._open: tuple[str, CalamineSheet, Document] | None = None

    def names(self, document: Document) -> list[str]:
        """Read the header, or take the declared names."""
        if not self._source.header:
            return list(self._source.columns)
        first = next(self._rows(document), None)
        if first is None:
            raise DataError("the sheet is empty; not even a header is there", where=document.name, hint="See 'sheet'.")
        number, cells = first
        names = [None if cell == "" else _text(cell, self._source.decimal) for cell in cells]
        while names and names[-1] is None:  # formatted, but empty, columns at the right
            names.pop()
        return checked_header(names, self._source, f"{document.name}, row {number}")

    def merged(self, first: list[str], names: list[str], document: Document) -> list[str]:
        """Refuse documents with different columns."""
        return same_columns(first, names, document)

    def blocks(self, document: Document, names: Sequence[str], faults: Faults) -> Iterator[Block]:
        """Give the rows; one with a cell beyond the header is a fault."""
        own = self.names(document)
        order = [own.index(name) for name in names]
        rows: list[list[str | None]] = []
        places: list[int] = []
        cells = self._rows(document)
        if self._source.header:
            next(cells, None)
        self._tell_errors(document, faults)
        for number, row in cells:
            texts = [None if cell == "" else _text(cell, self._source.decimal) for cell in row]
            if beyond := next((text for text in texts[len(own) :] if text is not None), None):
                place = f"{document.name}, row {number}"
                faults.add(f"{shown(beyond)} stands beyond the last column", place, "Name its column, or remove it.")
            texts += [None] * (len(own) - len(texts))
            if any(text is not None for text in texts[: len(own)]):
                rows.append([texts[index] for index in order])
                places.append(number)
            if len(rows) >= max(1, MOST_CELLS // len(own)):
                yield _block(rows, places)
                rows, places = [], []
        if rows:
            yield _block(rows, places)

    def _rows(self, document: Document) -> Iterator[tuple[int, list[Any]]]:
        """Give the rows with their numbers, as Excel shows them, from the first that is not to be skipped."""
        sheet, _ = self._opened(document)
        first = (sheet.start[0] if sheet.start else 0) + 1
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number > self._source.skip and number >= first:
                yield number, row

    def _tell_errors(self, document: Document, faults: Faults) -> None:
        """Make a fault of each cell that shows an error which is not declared to be no value."""
        sheet, workbook = self._opened(document)
        hint = "Correct its formula, or name what it shows in 'nulls'."
        try:
            with workbook.open() as file:
                for cell in error_cells(file, sheet.name):
                    if cell.row > self._source.skip and cell.shown not in self._source.nulls:
                        place = f"{document.name}, sheet {shown(sheet.name)}, {cell.place}"
                        faults.add(f"{shown(cell.shown)} is an error", place, hint)
        except (KeyError, ValueError, ExpatError) as error:
            raise DataError(f"this is no workbook: {error}", where=document.name, hint=_ANEW) from error

    def _opened(self, document: Document) -> tuple[CalamineSheet, Document]:
        """Give the sheet, and its workbook as a document that can be moved in."""
        if self._open is None or self._open[0] != document.name:
            workbook = seekable(document, self._spool, self._source.most_bytes)
            self._open = document.name, self._read(workbook), workbook
        return self._open[1:]

    def _read(self, document: Document) -> CalamineSheet:
        with document.open() as file:
            _refuse_bomb(file, document.name)
            file.seek(0)
            try:
                book = CalamineWorkbook.from_filelike(file)
                sheets = [sheet.name for sheet in book.sheets_metadata if sheet.typ is SheetTypeEnum.WorkSheet]
                name = self._source.sheet or (sheets[0] if len(sheets) == 1 else None)
                if name not in sheets:
                    wanted = f"there is no sheet {shown(name)}" if name else f"there are {len(sheets)} sheets"
                    hint = "Name one with 'sheet'."
                    there = ", ".join(map(shown, sheets[:20]))
                    raise DataError(f"{wanted}; there are {there}", where=document.name, hint=hint)
                return book.get_sheet_by_name(name)
            except CalamineError as error:
                raise DataError(f"this is no workbook: {error}", where=document.name, hint=_ANEW) from error


def _refuse_bomb(file: Any, name: str) -> None:  # noqa: ANN401 - a binary file
    """Unpack a workbook to nowhere: what it says of its size need not be true."""
    unpacked = 0
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as member:
                    while data := member.read(CHUNK):
                        unpacked += len(data)
                        if unpacked > MOST_UNPACKED:
                            raise too_large(MOST_UNPACKED, f"{name}, unpacked")
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise DataError(f"this is no workbook: {error}", where=name, hint=_ANEW) from error


def _block(rows: list[list[str | None]], places: list[int]) -> Block:
    return Block(list(zip(*rows, strict=True)), len(rows), lambda index: f"row {places[index]}")


def _text(cell: Any, point: str) -> str:  # noqa: ANN401, PLR0911 - what a cell may hold, a kind a line
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:  # noqa: PLR2004 - as Excel shows it
            return str(int(cell))
        case int() | float():
            return repr(cell).replace(".", point)
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return str(cell)
