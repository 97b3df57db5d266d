"""Makes Arrow batches of tables of text: one schema for all documents, every value converted or told."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import pyarrow as pa

from etl_contract import DataError, DocumentSource, declared
from etl_extract._document import Document
from etl_extract._faults import Faults, shown
from etl_extract._formats._convert import Conversion

# Texts of this many cells, or characters, are in memory at once.
MOST_CELLS = 500_000
MOST_CHARACTERS = 8_000_000


class FormatReader(Protocol):
    """Reads documents of a format."""

    def schema(self, documents: Sequence[Document]) -> pa.Schema:
        """Give the one schema that the documents' rows have."""

    def batches(self, document: Document, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Give a document's rows."""

    def count(self, document: Document) -> int:
        """Count a document's rows."""


class Block(NamedTuple):
    """Some rows: the texts of each column, and what messages call the place of a row, as `line 17`."""

    columns: Sequence[Sequence[str | None]]
    rows: int
    place: Callable[[int], str]


class Table(ABC):
    """A format whose values are texts, or are made texts."""

    @abstractmethod
    def names(self, document: Document) -> list[str]:
        """Name the columns of a document, in order."""

    @abstractmethod
    def blocks(self, document: Document, names: Sequence[str], faults: Faults) -> Iterator[Block]:
        """Give a document's rows, with a column for each of these names."""

    @abstractmethod
    def merged(self, first: list[str], names: list[str], document: Document) -> list[str]:
        """Give the columns of two documents, or refuse documents with different ones."""


class TableReader(FormatReader):
    """Reads documents of texts, with the types that the author declares."""

    def __init__(self, table: Table, source: DocumentSource, faults: Faults) -> None:
        self._table, self._source, self._faults = table, source, faults
        self._conversions: dict[str, Conversion] = {}

    def schema(self, documents: Sequence[Document]) -> pa.Schema:
        """Name the columns of all documents, and give each its declared type, or text."""
        names: list[str] | None = None
        for document in documents:
            found = self._table.names(document)
            names = found if names is None else self._table.merged(names, found, document)
        names = list(self._source.columns) if names is None else names
        self._conversions = {
            name: Conversion(declared(self._source.columns.get(name, "text")), self._source) for name in names
        }
        return pa.schema([(name, conversion.arrow) for name, conversion in self._conversions.items()])

    def batches(self, document: Document, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Convert a document's rows; what cannot be read is a fault, and its place empty."""
        try:
            for block in self._table.blocks(document, schema.names, self._faults):
                arrays = [
                    self._array(document, name, texts, block)
                    for name, texts in zip(schema.names, block.columns, strict=True)
                ]
                batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
                del block, arrays  # while the next block grows, this one has gone
                yield batch
        except DataError as error:
            self._faults.take(error)

    def count(self, document: Document) -> int:
        """Count a document's rows."""
        names = self._table.names(document)
        return sum(block.rows for block in self._table.blocks(document, names, Faults("")))

    def _array(self, document: Document, name: str, texts: Sequence[str | None], block: Block) -> pa.Array:
        conversion = self._conversions[name]
        array, wrong = conversion.of(texts)
        for index in wrong:
            if self._faults.full:
                self._faults.count += 1
                continue
            value, place = str(texts[index]), f"{document.name}, {block.place(index)}, column {shown_name(name)}"
            self._faults.add(f"{shown(value)} {conversion.complaint(value)}", place, conversion.hint)
        return array


def shown_name(name: str) -> str:
    """Write a column's name for a message."""
    return name if name.isidentifier() else shown(name)


def checked_header(names: Sequence[str | None], source: DocumentSource, place: str) -> list[str]:
    """Check the names in a header.

    Raises:
        DataError: a column has no name, or two have the same, or a declared one is not there.
    """
    problems = []
    if empty := [str(number) for number, name in enumerate(names, start=1) if name is None or not name.strip()]:
        problems.append(f"column {', '.join(empty[:10])} has no name")
    given = [name or "" for name in names]
    if len(set(given)) < len(given):
        seen: set[str] = set()
        twice = list(dict.fromkeys(name for name in given if name and (name in seen or seen.add(name))))  # type: ignore[func-returns-value]
        problems += [f"two columns are named {', '.join(map(shown, twice[:10]))}"] if twice else []
    if "\0" in "".join(given):
        problems.append("a name has a NUL character")
    if missing := [name for name in source.columns if name not in given]:
        has = ", ".join(map(shown, given[:20])) + (f" and {len(given) - 20} more" if len(given) > 20 else "")  # noqa: PLR2004
        problems.append(f"there is no column {', '.join(map(shown, missing))}; there are {has}")
    if problems:
        hint = "Correct the header, or 'columns' and 'delimiter', or leave the header out: header: false."
        raise DataError("; ".join(problems), where=place, hint=hint)
    return given


def same_columns(first: list[str], names: list[str], document: Document) -> list[str]:
    """Refuse a document whose columns are not those of the first; their order is of no matter.

    Raises:
        DataError: names the columns that differ.
    """
    missing, new = [name for name in first if name not in names], [name for name in names if name not in first]
    if missing or new:
        parts = [f"it has no {', '.join(map(shown, missing[:10]))}"] if missing else []
        parts += [f"it also has {', '.join(map(shown, new[:10]))}"] if new else []
        hint = "Documents of one source have the same columns: make two sources of them."
        raise DataError(f"its columns are not those of the first: {'; '.join(parts)}", where=document.name, hint=hint)
    return first
