"""Reads and writes Datasets as Parquet, at any URI that pyarrow.fs opens, by batches, atomically, with a checksum.

Needs the extra `etl-contract[parquet]`; nothing else of the contract imports pyarrow.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from etl_contract._dataset import Dataset
from etl_contract._errors import DataError, Unavailable
from etl_contract._result import Columns

BATCH_ROWS = 65_536
_GROUP_BYTES = 16 * 1024 * 1024


class DatasetWriter:
    """Writes batches of one schema; `finish` publishes the file under its name.

    Until then the rows stand under a temporary name beside it, so that a reader never meets half a file and a retry
    simply writes again.
    """

    def __init__(self, folder_uri: str, name: str, schema: pa.Schema) -> None:
        self.uri = f"{folder_uri.rstrip('/')}/{name}.parquet"
        self._name = name
        self._fs, self._path = pa.fs.FileSystem.from_uri(self.uri)
        self._fs.create_dir(self._path.rpartition("/")[0], recursive=True)
        self._part = f"{self._path}.part"
        self._sink = Hashing(self._fs.open_output_stream(self._part))
        self._parquet = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), schema, compression="zstd")
        self.schema = schema
        self.rows = 0
        self._waiting: list[pa.Table] = []  # each row group costs whoever reads the file some memory

    def write(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Append rows; their schema must be the writer's. A reader need not hold more of them than a batch at once."""
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        if sum(part.num_rows for part in self._waiting) + table.num_rows > BATCH_ROWS:
            self._write_waiting()
        self._waiting.append(table)
        self.rows += table.num_rows
        if sum(part.nbytes for part in self._waiting) > _GROUP_BYTES:
            self._write_waiting()

    def _write_waiting(self) -> None:
        if self._waiting:
            self._parquet.write_table(pa.concat_tables(self._waiting), row_group_size=BATCH_ROWS)
            self._waiting = []

    def finish(self) -> Dataset:
        """Close the file, give it its name, and describe it."""
        self._write_waiting()
        self._parquet.close()
        self._sink.close()
        self._fs.move(self._part, self._path)
        return Dataset(
            name=self._name, uri=self.uri, rows=self.rows, bytes=self._sink.size, sha256=self._sink.sha256.hexdigest()
        )

    def abandon(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # a full disk must not hide why we are here
            self._parquet.close()
        with suppress(OSError):
            self._sink.close()
        with suppress(FileNotFoundError):  # it was finished, and another failed
            self._fs.delete_file(self._part)


class Unfinished(Protocol):
    """What is written as a whole, or not at all."""

    def abandon(self) -> None:
        """Remove what was written."""


@contextmanager
def whole_or_nothing[Writer: Unfinished](writer: Writer) -> Iterator[Writer]:
    """Give a writer that leaves nothing behind when the block fails; call `finish` inside the block."""
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


def writing(folder_uri: str, name: str, schema: pa.Schema) -> AbstractContextManager[DatasetWriter]:
    """Open a dataset's file, of which nothing is left when the block fails."""
    return whole_or_nothing(DatasetWriter(folder_uri, name, schema))


@contextmanager
def reading(dataset: Dataset) -> Iterator[pq.ParquetFile]:
    """Open a dataset after its checksum has been verified.

    Raises:
        Unavailable: the file is not there.
        DataError: the file is not the one that the stage before wrote.
    """
    fs, path = pa.fs.FileSystem.from_uri(dataset.uri)
    hint = "Clear the stage that writes it, and those after it."
    # A stage may leave a link in its folder, which would lead to what only the next one sees.
    if isinstance(fs, pa.fs.LocalFileSystem) and Path(path).resolve() != Path(path):
        raise DataError("the file is a link to elsewhere", where=dataset.uri, hint=hint)
    try:
        with fs.open_input_stream(path) as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise Unavailable("the file is gone", where=dataset.uri, hint=hint) from error
    if found != dataset.sha256:
        raise DataError(f"the file's checksum is {found}, not {dataset.sha256}", where=dataset.uri, hint=hint)
    # Without pre_buffer: it would hold the whole file in memory, whatever is read of it.
    with fs.open_input_file(path) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        yield parquet


def columns_of(datasets: Iterable[Dataset]) -> dict[str, Columns]:
    """Give the columns of each dataset with their types, as its file has them."""
    columns = {}
    for dataset in datasets:
        fs, path = pa.fs.FileSystem.from_uri(dataset.uri)
        schema = pq.read_schema(path, filesystem=fs)
        columns[dataset.name] = tuple((field.name, str(field.type)) for field in schema)
    return columns


class Hashing(io.RawIOBase):
    """Counts and digests what passes on its way to a file."""

    def __init__(self, file: IO[bytes] | Any) -> None:  # noqa: ANN401 - pyarrow has no stubs
        self._file = file
        self.size = 0
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Take bytes."""
        self.sha256.update(data)
        self.size += len(data)
        self._file.write(data)
        return len(data)

    def close(self) -> None:
        """Close the file, too."""
        if not self.closed:
            self._file.close()
        super().close()
