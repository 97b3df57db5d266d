"""Runs an author's transform over Parquet."""
