"""Reads a table by ConnectorX, as a stream of record batches."""

import sys

import connectorx as cx
import pyarrow.parquet as pq

uri, table, out = sys.argv[1:]
reader = cx.read_sql(uri, f"select * from {table}", return_type="arrow_stream")
with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
    for batch in reader:
        writer.write_batch(batch)
