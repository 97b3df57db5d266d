"""Runs an author's transform over the extracted datasets.

    TransformTask ── Parquet ──► DataFrames by name ──► the author's function ──► DataFrames by name ──► Parquet

The image has no network and no credentials: the function's text comes with the task, its rows from the run's folder.
"""
