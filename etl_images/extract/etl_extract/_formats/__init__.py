"""Reads documents of every format into Arrow batches of one schema.

    _csv, _json, _ndjson, _xlsx ── texts in columns ──► _table: one schema, converted by _convert ──► batches
    _parquet ───────────────────── its own types ──────────────────────────────────────────────────► batches

A column is of the type that the author declares, and text otherwise: never of one that today's rows suggest.
"""

from etl_extract._formats._registry import reader
from etl_extract._formats._table import FormatReader

__all__ = ["FormatReader", "reader"]
