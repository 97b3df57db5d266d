"""Encodes Arrow arrays as the cells of PostgreSQL's binary COPY, in compiled loops, a batch at a time.

A cell is a value's length and its bytes, big-endian. An encoder gives a column's cells as one or more arrays that are
put together row by row; in the first of them a missing value is null, and becomes the length -1.
The formats are those of the `recv` functions: https://www.postgresql.org/docs/17/sql-copy.html, "Binary Format".
"""

import json
import math
import struct
from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import adapters
from psycopg.abc import Dumper
from psycopg.adapt import PyFormat

from etl_load._endless import parted

type Cells = tuple[pa.Array, ...]
type Encoder = Callable[[pa.Array], Cells]

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_MISSING = b"\xff\xff\xff\xff"
_WORDS = {1: "b", 2: "h", 4: "i", 8: "q"}


def row_start(width: int, *constants: Cells) -> pa.Scalar:
    """Give what every row begins with: the number of its cells, and those whose value is the same in all of them."""
    pieces = (piece[0].as_py() for pieces in constants for piece in pieces)
    cells = b"".join(_MISSING if piece is None else piece for piece in pieces)
    return pa.scalar(struct.pack(">h", width) + cells, pa.binary())


def rows(start: pa.Scalar, cells: Sequence[Cells]) -> pa.Buffer:
    """Put the cells of all columns together: the bytes of the batch's rows as COPY takes them."""
    return _join(start, *(piece for pieces in cells for piece in pieces)).buffers()[2]


def nothing(values: pa.Array) -> Cells:
    """Encode a column of missing values."""
    return (pa.nulls(len(values), pa.binary()),)


def number(storage: pa.DataType) -> Encoder:
    """Encode numbers and booleans by their bytes, as `storage`."""
    template = _template(storage.bit_width // 8)
    return lambda values: _fixed(template, values, (4, values.cast(storage)))


def since(storage: pa.DataType, integer: pa.DataType, epoch: int) -> Encoder:
    """Encode what Arrow counts from 1970, in units of `storage`, and PostgreSQL from `epoch` units later."""
    template = _template(integer.bit_width // 8)
    shift = pa.scalar(epoch, integer)
    most = 2 ** (integer.bit_width - 1) - 1  # PostgreSQL's infinity; the other one is as far as it goes

    def encode(values: pa.Array) -> Cells:
        finite, signs = parted(values)
        counted = pc.subtract_checked(finite.cast(storage).cast(integer), shift)
        if signs is not None:
            ends = pc.if_else(pc.greater(signs, 0), pa.scalar(most, integer), pa.scalar(-most - 1, integer))
            counted = pc.coalesce(ends, counted)
        return _fixed(template, values, (4, counted))

    return encode


def text(values: pa.Array) -> Cells:
    """Encode text by its UTF-8."""
    return varying(values.cast(pa.string()))


def binary(values: pa.Array) -> Cells:
    """Encode bytes as they are."""
    return varying(values.cast(pa.binary()))


def duration(values: pa.Array) -> Cells:
    """Encode a span of time as microseconds, with no days and no months."""
    template = struct.pack(">iqii", 16, 0, 0, 0)
    return _fixed(template, values, (4, values.cast(pa.duration("us")).cast(pa.int64())))


def jsonb(values: pa.Array) -> Cells:
    """Encode nested values as JSON; what JSON has no word for becomes text."""
    found = values.to_pylist(maps_as_pydicts="strict")
    return varying(pa.array([None if value is None else _json(value) for value in found], pa.binary()))


def json_text(values: pa.Array) -> Cells:
    """Encode text that is JSON already."""
    return varying(pc.binary_join_element_wise(pa.scalar(b"\x01"), values.cast(pa.binary()), b""))


def decimal(scale: int) -> Encoder:
    """Encode decimals exactly, with `scale` digits after the point."""
    aligned = math.ceil(scale / 4) * 4  # PostgreSQL's digits are of base 10,000

    def encode(values: pa.Array) -> Cells:
        try:
            small = values.cast(pa.decimal64(18, aligned)) if aligned <= 18 else None  # noqa: PLR2004 - int64's digits
        except pa.ArrowInvalid:
            small = None
        return _decimals(values) if small is None else _small_decimals(small, scale, aligned)

    return encode


def array_of(element: Encoder, oid: int) -> Encoder:
    """Encode lists as an array whose elements are of the type `oid`."""
    header = struct.pack(">iiIii", 1, 1, oid, 0, 1)  # dimensions, may hold nulls, type, length, first index

    def encode(values: pa.Array) -> Cells:
        lengths = pc.fill_null(pc.list_value_length(values), 0).cast(pa.int32())
        ends = pc.cumulative_sum_checked(lengths)
        elements = _join(*element(values.flatten()))
        starts = pa.concat_arrays([pa.array([0], pa.int32()), ends])
        bodies = pc.binary_join(pa.ListArray.from_arrays(starts, elements), b"")
        headers = _fixed(header, lengths, (12, lengths))[0]
        return varying(pc.if_else(values.is_valid(), _join(headers, bodies), None))

    return encode


def varying(values: pa.Array) -> Cells:
    """Encode values of any length: the lengths, and the bytes."""
    lengths = _flat(pc.binary_length(values))
    present = values.fill_null("" if values.type == pa.string() else b"") if values.null_count else values
    return *_fixed(bytes(4), lengths, (0, lengths)), present.cast(pa.binary())


def _join(*pieces: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, b"", null_handling="replace", null_replacement=_MISSING)


def _template(width: int) -> bytes:
    return struct.pack(">i", width) + bytes(width)


def _fixed(template: bytes, values: pa.Array, *parts: tuple[int, pa.Array]) -> Cells:
    """Repeat a template for every value, with each part's numbers, big-endian, at the part's offset."""
    count = len(values)
    validity = _flat(values).buffers()[0]
    data = pa.py_buffer(_woven(template, count, parts) if count else b"")
    offsets = _offsets(count, len(template))
    return (pa.BinaryArray.from_buffers(pa.binary(), count, [validity, offsets, data]),)


def _woven(template: bytes, count: int, parts: Sequence[tuple[int, pa.Array]]) -> array[int]:
    widths = [numbers.type.bit_width // 8 for _, numbers in parts]
    word = min(8, math.gcd(len(template), *widths, *(offset for offset, _ in parts)))
    cells = array(_WORDS[word], template * count)
    stride = len(template) // word
    for (offset, numbers), width in zip(parts, widths, strict=True):
        words = array(_WORDS[word])
        words.frombytes(_flat(numbers).buffers()[1][: count * width])
        words.byteswap()
        step = width // word
        for index in range(step):
            cells[offset // word + index :: stride] = words[step - 1 - index :: step]
    return cells


@lru_cache(maxsize=64)
def _offsets(count: int, width: int) -> pa.Buffer:
    return pa.py_buffer(array("i", range(0, (count + 1) * width, width)))


def _flat(values: pa.Array) -> pa.Array:
    """Make the first value stand at the start of its buffers."""
    return pa.concat_arrays([values.slice(0, 0), values]) if values.offset else values


def _small_decimals(values: pa.Array, scale: int, aligned: int) -> Cells:
    """Encode decimals that are 64-bit integers; PostgreSQL strips the leading and trailing zero digits."""
    values = _flat(values)
    unscaled = pa.Array.from_buffers(pa.int64(), len(values), values.buffers())
    rest = pc.abs(unscaled)
    signs = pc.if_else(pc.less(unscaled, 0), 0x4000, 0).cast(pa.int16())
    digits: list[pa.Array] = []
    for _ in range(5):
        higher = pc.divide(rest, 10_000)
        digits.insert(0, pc.subtract(rest, pc.multiply(higher, 10_000)).cast(pa.int16()))
        rest = higher
    template = struct.pack(">ihhhh5h", 18, 5, 4 - aligned // 4, 0, scale, 0, 0, 0, 0, 0)
    parts = [(12 + 2 * index, digit) for index, digit in enumerate(digits)]
    return _fixed(template, values, (8, signs), *parts)


def _decimals(values: pa.Array) -> Cells:
    """Encode decimals of any size one by one."""
    dump = _decimal_dumper().dump
    found = [None if value is None else bytes(dump(value) or b"") for value in values.to_pylist()]
    return varying(pa.array(found, pa.binary()))


@cache
def _decimal_dumper() -> Dumper:
    return adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal)


def _json(value: Any) -> bytes:  # noqa: ANN401 - any nested value
    return b"\x01" + json.dumps(value, ensure_ascii=False, allow_nan=False, default=_json_word).encode()


def _json_word(value: Any) -> str:  # noqa: ANN401 - any value that JSON has no word for
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
