"""Reads Parquet, which has its own types."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from etl_contract import DataError, DocumentSource
from etl_contract.parquet import BATCH_ROWS
from etl_extract._document import Document, seekable
from etl_extract._faults import Faults
from etl_extract._formats._table import FormatReader
from etl_extract._spool import Spool


class ParquetReader(FormatReader):
    """Parquet files of one schema."""

    def __init__(self, source: DocumentSource, faults: Faults, spool: Spool) -> None:
        self._source, self._faults, self._spool = source, faults, spool

    def schema(self, documents: Sequence[Document]) -> pa.Schema:
        """Give the schema of the documents, and refuse documents with different ones."""
        first: pa.Schema | None = None
        for document in documents:
            with self._opened(document) as file:
                found = file.schema_arrow.remove_metadata()
            if first is not None and not first.equals(found):
                ours, others = set(map(str, first)), set(map(str, found))
                problem = (
                    f"its columns are not those of the first: {', '.join(sorted(others ^ ours)) or 'another order'}"
                )
                hint = "Documents of one source have the same columns: make two sources of them."
                raise DataError(problem, where=document.name, hint=hint)
            first = found
        return pa.schema([]) if first is None else first

    def batches(self, document: Document, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Give the rows."""
        with self._opened(document) as file:
            try:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield batch.cast(schema)
            except (pa.ArrowException, OSError) as error:
                self._faults.take(_damaged(document, error))

    def count(self, document: Document) -> int:
        """Count the rows."""
        with self._opened(document) as file:
            return int(file.metadata.num_rows)

    def _opened(self, document: Document) -> pq.ParquetFile:
        file = seekable(document, self._spool, self._source.most_bytes).open()
        try:
            return pq.ParquetFile(file, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            file.close()
            raise _damaged(document, error) from error


def _damaged(document: Document, error: Exception) -> DataError:
    hint = "Was it written, or sent, whole?"
    return DataError(f"this is no Parquet: {str(error).partition('\n')[0]}", where=document.name, hint=hint)
