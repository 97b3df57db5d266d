"""Reads a table by ADBC, batch by batch."""

import sys

import adbc_driver_postgresql.dbapi as adbc
import pyarrow.parquet as pq

uri, table, out = sys.argv[1:]
with adbc.connect(uri) as connection, connection.cursor() as cursor:
    cursor.execute(f"select * from {table}")
    reader = cursor.fetch_record_batch()
    with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
