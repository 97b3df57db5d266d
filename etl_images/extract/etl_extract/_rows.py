"""Holds rows on their way, with what the source is to remember of them."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from etl_contract import TakenFile, Watermark


class Rows(NamedTuple):
    """Rows on their way: their Arrow schema, and the batches, which are read as they are asked for."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    watermarks: tuple[Watermark, ...] = ()
    files: tuple[TakenFile, ...] = ()
