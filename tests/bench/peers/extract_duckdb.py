"""Reads a table by DuckDB's scanner of PostgreSQL."""

import sys
from importlib.resources import files

import duckdb

uri, table, out = sys.argv[1:]
extension = next(files("duckdb_extension_postgres_scanner").joinpath("extensions").iterdir())
with duckdb.connect() as connection:
    connection.execute(f"load '{extension / 'postgres_scanner.duckdb_extension'}'")
    connection.execute(f"attach '{uri}' as source (type postgres, read_only)")
    connection.execute(f"copy (from source.{table}) to '{out}' (format parquet, compression zstd)")
