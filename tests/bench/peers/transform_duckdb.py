"""Runs a query over a Parquet file by DuckDB, into another."""

import sys

import duckdb

source, out, query = sys.argv[1:]
with duckdb.connect() as connection:
    connection.execute(f"create view flights as from '{source}'")
    connection.execute(f"copy ({query}) to '{out}' (format parquet, compression zstd)")
