"""Appends a Parquet file by Polars, through ADBC."""

import sys

import polars as pl

uri, table, source = sys.argv[1:]
pl.read_parquet(source).write_database(table, uri, if_table_exists="append", engine="adbc")
