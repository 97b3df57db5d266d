"""Merges Parquet into the warehouse."""
