"""Appends a Parquet file by pandas.to_sql; its third argument is the method: plain, or multi of a tenth of the rows."""

import sys

import pandas as pd
import sqlalchemy as sa

uri, table, source, method = sys.argv[1:]
engine = sa.create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))
schema, _, name = table.partition(".")
frame = pd.read_parquet(source)
if method == "multi":
    frame = frame.head(len(frame) // 10)
how = {"method": "multi", "chunksize": 1_000} if method == "multi" else {"chunksize": 65_536}
frame.to_sql(name, engine, schema=schema, if_exists="append", index=False, **how)
