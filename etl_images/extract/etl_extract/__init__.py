"""Reads sources into Parquet, a file a source, streaming.

ExtractTask ── sources by name ──► _sql: connection, bound interval, batches ──► Parquet under the run's URI
"""
