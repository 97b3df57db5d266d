"""Reads the documents of one source: unpacked, in one schema, with every fault told at once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from etl_contract import DataError, DocumentSource
from etl_extract._document import Document, refuse_page, unpacked
from etl_extract._faults import Faults, shown
from etl_extract._formats import reader
from etl_extract._spool import Spool


class Reading:
    """The documents of a source on their way to rows.

    Args:
        where: the source, as messages call it.
        file_column: a column to add, with the origin of each row.
    """

    def __init__(self, source: DocumentSource, where: str, spool: Spool, file_column: str | None = None) -> None:
        self._source = source
        self._file_column = file_column
        self._faults = Faults(where)
        self._format = reader(source, self._faults, spool)

    def count(self, document: Document) -> int:
        """Count the rows of a document."""
        with self._telling():
            return sum(map(self._format.count, self._unpacked([document])))
        raise AssertionError  # tells the type checker that faults are raised

    def rows(self, documents: Sequence[Document]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Give the documents' schema and rows; what is wrong with them is told when the last has been read.

        Raises:
            DataError: there is no one schema.
        """
        with self._telling():
            inner = list(self._unpacked(documents))
            schema = self._format.schema(inner)
            if self._file_column in schema.names:
                hint = "Choose another name for 'file_column'."
                raise DataError(f"there is a column {shown(self._file_column)}", where=documents[0].name, hint=hint)
            whole = schema if self._file_column is None else schema.append(pa.field(self._file_column, pa.string()))
            return whole, self._batches(inner, schema, whole)
        raise AssertionError

    def _batches(self, documents: Iterable[Document], schema: pa.Schema, whole: pa.Schema) -> Iterator[pa.RecordBatch]:
        for document in documents:
            for batch in self._format.batches(document, schema):
                added = [pa.repeat(pa.scalar(document.origin), batch.num_rows)] if len(whole) > len(schema) else []
                yield pa.RecordBatch.from_arrays([*batch.columns, *added], schema=whole)
        self._faults.raise_if_any()

    def _unpacked(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            for inner in unpacked(document, self._source):
                refuse_page(inner, self._source.form)
                yield inner

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            self._faults.take(error)
            self._faults.raise_if_any()
