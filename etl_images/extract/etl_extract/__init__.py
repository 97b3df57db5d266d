"""Reads sources into Parquet."""
