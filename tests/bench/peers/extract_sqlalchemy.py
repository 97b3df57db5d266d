"""Reads a table in chunks through a server-side cursor of SQLAlchemy, by pandas."""

import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

uri, table, out = sys.argv[1:]
engine = sa.create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))
with engine.connect().execution_options(stream_results=True, max_row_buffer=65_536) as connection:
    writer = None
    for frame in pd.read_sql(sa.text(f"select * from {table}"), connection, chunksize=65_536):
        batch = pa.Table.from_pandas(frame, schema=writer.schema if writer else None, preserve_index=False)
        writer = writer or pq.ParquetWriter(out, batch.schema, compression="zstd")
        writer.write_table(batch)
    writer.close()
