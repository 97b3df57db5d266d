"""Holds rows on their way, with what the source is to remember of them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyarrow as pa

from etl_contract import TakenFile, Watermark


class Rows(NamedTuple):
    """Rows on their way: their Arrow schema, and the batches, which are read as they are asked for.

    How far a cursor has come is known only when all batches were read.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    watermarks: Callable[[], tuple[Watermark, ...]] = tuple
    files: tuple[TakenFile, ...] = ()
