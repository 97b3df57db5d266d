"""Reads CSV: strictly, by lines, with a dialect that the author declares."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from etl_contract import DataError, DocumentSource
from etl_extract._document import Document
from etl_extract._faults import Faults, shown
from etl_extract._formats._lines import Lines
from etl_extract._formats._table import (
    MOST_CELLS,
    MOST_CHARACTERS,
    Block,
    Table,
    checked_header,
    same_columns,
)

MOST_FIELD = 16 * 1024 * 1024
MOST_COLUMNS = 10_000
_QUOTES_HINT = "A quote in a quoted field is written twice; see 'quote' and 'escape'."


class CsvTable(Table):
    """CSV as RFC 4180 has it, or as the author declares; an empty field without quotes is no value."""

    def __init__(self, source: DocumentSource) -> None:
        self._source = source
        csv.field_size_limit(MOST_FIELD)
        self._dialect: dict[str, Any] = {
            "delimiter": source.delimiter,
            "quotechar": source.quote or None,
            "escapechar": source.escape,
            "doublequote": source.escape is None,
            # Otherwise an empty field with quotes, which is an empty text, would be the same as one without.
            "quoting": csv.QUOTE_NOTNULL if source.quote else csv.QUOTE_NONE,
            "strict": True,
        }

    def names(self, document: Document) -> list[str]:
        """Read the header, or take the declared names."""
        lines, _, names = self._opened(document)
        lines.close()
        return names

    def merged(self, first: list[str], names: list[str], document: Document) -> list[str]:
        """Refuse documents with different columns."""
        return same_columns(first, names, document)

    def blocks(self, document: Document, names: Sequence[str], faults: Faults) -> Iterator[Block]:
        """Give the rows; one with too many or too few fields, or with stray quotes, is a fault."""
        lines, rows, own = self._opened(document)
        order = None if own == list(names) else [own.index(name) for name in names]
        width, most_rows = len(own), max(1, MOST_CELLS // len(own))
        block: list[list[str | None]] = []
        places: list[int] = []
        given = lines.characters
        while True:
            first = lines.number + 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                faults.add(*_complaint(error, document.name, first, lines.number))
                continue
            if row is None:
                break
            if len(row) == width:
                block.append(row)
                places.append(first)
            elif row:  # an empty line is none
                hint = f"A field that has '{self._source.delimiter}' in it needs quotes; see also 'delimiter'."
                line = shown(self._source.delimiter.join(map(_text, row)))
                faults.add(
                    f"{len(row)} fields, where the header has {width}: {line}", f"{document.name}, line {first}", hint
                )
            if len(block) >= most_rows or lines.characters - given >= MOST_CHARACTERS:
                yield _block(block, places, order)
                block, places, given = [], [], lines.characters
        if block:
            yield _block(block, places, order)

    def _opened(self, document: Document) -> tuple[Lines, Iterator[list[str | None]], list[str]]:
        """Open a document, and read it up to its first row."""
        lines = Lines(document, self._source.encoding)
        for _ in range(self._source.skip):
            next(lines, None)
        rows: Iterator[Any] = csv.reader(lines, **self._dialect)
        if not self._source.quote:
            rows = ([field or None for field in row] for row in rows)
        if not self._source.header:
            return lines, rows, list(self._source.columns)
        first = lines.number + 1
        try:
            header = next((row for row in rows if row), None)
        except csv.Error as error:
            problem, place, hint = _complaint(error, document.name, first, lines.number)
            raise DataError(problem, where=place, hint=hint) from error
        if header is None:
            raise DataError(
                "it is empty; not even a header is there", where=document.name, hint="Was it written whole?"
            )
        if len(header) > MOST_COLUMNS:
            raise DataError(f"{len(header):,} columns", where=lines.place, hint=f"At most {MOST_COLUMNS:,} can be.")
        return lines, rows, checked_header(header, self._source, lines.place)


def _block(rows: list[list[str | None]], places: list[int], order: list[int] | None) -> Block:
    columns = list(zip(*rows, strict=True))
    ordered = columns if order is None else [columns[index] for index in order]
    return Block(ordered, len(rows), lambda index: f"line {places[index]}")


def _text(field: str | None) -> str:
    return field or ""


def _complaint(error: csv.Error, name: str, first: int, last: int) -> tuple[str, str, str]:
    """Say in our words what the csv module says in its own."""
    message, place = str(error), f"{name}, line {first}"
    if message == "unexpected end of data":
        return "a quote opens here and is never closed", place, _QUOTES_HINT
    if "field larger than" in message:
        hint = "Is a quote missing before it?"
        return f"a field has more than {MOST_FIELD // 1024**2} MiB", f"{name}, line {last}", hint
    if "new-line character" in message:
        return "a carriage return stands alone in a field without quotes", place, "Lines end with LF, or CR and LF."
    if "expected after" in message:
        return "a quote ends a field, but the field goes on", f"{name}, line {last}", _QUOTES_HINT
    return f"this is no CSV: {message}", f"{name}, line {last}", _QUOTES_HINT
