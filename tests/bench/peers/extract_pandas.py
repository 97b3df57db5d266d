"""Reads a table as most scripts do: pandas.read_sql, then to_parquet."""

import sys

import pandas as pd
import sqlalchemy as sa

uri, table, out = sys.argv[1:]
engine = sa.create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))
pd.read_sql(f"select * from {table}", engine).to_parquet(out, compression="zstd")
