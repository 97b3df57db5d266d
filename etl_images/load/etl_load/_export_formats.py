"""Writes a dataset in each format, batch by batch, so that memory does not grow with it."""

import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from etl_contract import ExportFormat, ExportTarget
from etl_load._export_file import ExportFile
from etl_load._export_text import csv_cell, joined, json_cell

MOST_XLSX_ROWS = 1_048_575  # beside the header
MOST_XLSX_COLUMNS = 16_384
_BATCH_ROWS = 8_192

type Write = Callable[[ExportTarget, pq.ParquetFile, IO[bytes]], None]


def problem_of(target: ExportTarget, parquet: pq.ParquetFile) -> str | None:
    """Say why the format cannot hold the dataset, if it cannot."""
    rows, columns = parquet.metadata.num_rows, len(parquet.schema_arrow.names)
    if target.format is ExportFormat.xlsx and rows > MOST_XLSX_ROWS:
        return f"{rows:,} rows are too many: a sheet of xlsx takes {MOST_XLSX_ROWS:,} beside its header"
    if target.format is ExportFormat.xlsx and columns > MOST_XLSX_COLUMNS:
        return f"{columns:,} columns are too many: a sheet of xlsx takes {MOST_XLSX_COLUMNS:,}"
    return None


def write(target: ExportTarget, parquet: pq.ParquetFile, file: ExportFile, timezone: str, where: str) -> None:
    """Write a dataset as the target says."""
    if target.format is ExportFormat.xlsx:
        from etl_load._export_xlsx import About, write_xlsx  # noqa: PLC0415 - few exports need it

        about = About(parquet.schema_arrow.names, timezone, where)
        with file.writing() as sink, file.scratch() as folder:
            write_xlsx(batches(parquet), sink, folder, about)
        return
    writers: dict[ExportFormat, Write] = {
        ExportFormat.csv: _csv,
        ExportFormat.json: _json,
        ExportFormat.ndjson: _ndjson,
        ExportFormat.parquet: _parquet,
    }
    with file.writing() as sink:
        writers[target.format](target, parquet, sink)


def batches(parquet: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """Read one row group after the other: asked for all at once, pyarrow reads ahead through the whole file."""
    for group in range(parquet.num_row_groups):
        yield from parquet.iter_batches(_BATCH_ROWS, row_groups=[group], use_threads=False)


def _csv(target: ExportTarget, parquet: pq.ParquetFile, sink: IO[bytes]) -> None:
    special = f'["\r\n{re.escape(target.delimiter)}]'
    names = pa.array(parquet.schema_arrow.names, pa.string())
    alone = len(names) == 1 and target.missing == ""  # an empty line would be no row
    missing = '""' if alone else target.missing

    def cell(values: pa.Array) -> pa.Array:
        return csv_cell(values, special, missing, target.decimal, escape_formulas=target.escape_formulas)

    if target.bom:
        sink.write(b"\xef\xbb\xbf")
    if target.header:
        sink.write(target.delimiter.join(cell(names).to_pylist()).encode() + b"\n")
    end = pa.scalar("\n")
    for batch in batches(parquet):
        between = [piece for column in batch.columns for piece in (cell(column), target.delimiter)]
        sink.write(joined([*between[:-1], end], ""))


def _objects(batch: pa.RecordBatch, before: str, after: str) -> memoryview:
    pieces: list[pa.Array | str] = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        pieces += [f"{', ' if pieces else before + '{'}{encode_basestring(name)}: ", json_cell(values)]
    return joined([*pieces, "}" + after], "")


def _json(_: ExportTarget, parquet: pq.ParquetFile, sink: IO[bytes]) -> None:
    sink.write(b"[")
    separator = 1  # the first object has no comma before it
    for batch in batches(parquet):
        sink.write(_objects(batch, ",\n", "")[separator:])
        separator = 0
    sink.write(b"\n]\n" if not separator else b"]\n")


def _ndjson(_: ExportTarget, parquet: pq.ParquetFile, sink: IO[bytes]) -> None:
    for batch in batches(parquet):
        sink.write(_objects(batch, "", "\n"))


def _parquet(_: ExportTarget, parquet: pq.ParquetFile, sink: IO[bytes]) -> None:
    schema = parquet.schema_arrow.remove_metadata()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for group in range(parquet.num_row_groups):
            writer.write_table(parquet.read_row_group(group, use_threads=False).replace_schema_metadata(None))
