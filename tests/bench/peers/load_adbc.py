"""Appends a Parquet file by ADBC's ingestion, batch by batch."""

import sys

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq

uri, table, source = sys.argv[1:]
schema, _, name = table.partition(".")
file = pq.ParquetFile(source)
reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
with adbc.connect(uri) as connection, connection.cursor() as cursor:
    cursor.adbc_ingest(name, reader, mode="append", db_schema_name=schema)
    connection.commit()
