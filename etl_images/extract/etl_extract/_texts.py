"""Reads the text that COPY writes exactly, by the Arrow type of each column.

What Arrow has no type for (json, intervals, enums, ranges, ...) stays that very text. An array's elements are read as a
column of their own, all those of a block at once, so that each is what it would be without the array.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pc
from pyarrow import compute

from etl_contract import DataError

MARK = (
    b"\xef\xbb\xbf"  # Arrow passes over one at the head of what it reads, so a text that begins with one comes second
)
UNBOUNDED = pa.decimal128(38, 10)  # a numeric that does not say its precision
_PLACE = re.compile(r"^In CSV column #(\d+): (?:Row #\d+: )?(?:CSV conversion error to [^:]+: )?")
_ENDLESS = ["infinity", "-infinity"]  # dates and timestamps before and after all others
_ELEMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^,"]+', re.DOTALL)
_MOST_SHOWN = 100  # characters of a text that is told


class Form(NamedTuple):
    """How lines of text tell what is missing from what only looks so, and what stands in quotes from its quotes."""

    missing: str
    escape: str | None


ROWS = Form(missing="", escape=None)  # an empty text is ""
_ELEMENTS = Form(missing="NULL", escape="\\")  # a text that says so is "NULL"


def decoded(chunk: bytes, schema: pa.Schema, where: str, form: Form = ROWS) -> pa.Table:
    """Read whole rows that come after a mark.

    Raises:
        DataError: a value does not fit the column's type.
    """
    texts = [field.name for field in schema if _stays_text(field.type)]
    try:
        table = _parsed(chunk, schema, texts, form)
    except pa.ArrowInvalid as error:
        # Endless times are rare, so only a chunk that has one is read again with its times as texts.
        times = [field.name for field in schema if _may_be_endless(field.type)]
        if not times or b"infinity" not in chunk:
            raise _misfit(str(error), schema, where) from error
        texts += times
        try:
            table = _parsed(chunk, schema, texts, form)
        except pa.ArrowInvalid as other:
            raise _misfit(str(other), schema, where) from other
    for name in texts:
        index = schema.get_field_index(name)
        field = schema.field(index)
        table = table.set_column(index, field, _from_text(table.column(index), field, where))
    return table


def _parsed(chunk: bytes, schema: pa.Schema, texts: Sequence[str], form: Form) -> pa.Table:
    return pc.read_csv(
        pa.BufferReader(chunk),
        # One block, so that a row may be as long as it likes.
        read_options=pc.ReadOptions(column_names=schema.names, block_size=len(chunk) + 1, use_threads=True),
        parse_options=pc.ParseOptions(
            newlines_in_values=True,
            ignore_empty_lines=False,
            double_quote=form.escape is None,
            escape_char=form.escape or False,
        ),
        convert_options=pc.ConvertOptions(
            column_types={field.name: pa.string() if field.name in texts else field.type for field in schema},
            null_values=[form.missing],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _stays_text(kind: pa.DataType) -> bool:
    """Tell what Arrow's CSV reader cannot read, or where it loses digits in silence, since nothing bounds them."""
    return bool(pa.types.is_list(kind) or pa.types.is_binary(kind) or pa.types.is_decimal256(kind) or kind == UNBOUNDED)


def _may_be_endless(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _from_text(texts: pa.ChunkedArray, field: pa.Field, where: str) -> pa.Array:
    """Read what Arrow's CSV reader cannot, or not exactly."""
    try:
        if pa.types.is_list(field.type):
            return _lists(texts.combine_chunks(), field, where)
        if pa.types.is_binary(field.type):
            return pa.array(
                [None if text is None else bytes.fromhex(text[2:]) for text in texts.to_pylist()], field.type
            )
        if pa.types.is_decimal(field.type):
            return pa.array([None if text is None else Decimal(text) for text in texts.to_pylist()], field.type)
        return _times(texts.combine_chunks(), field.type)
    except (ValueError, pa.ArrowTypeError) as error:  # an ArrowInvalid is a ValueError
        raise _misfit(f"In CSV column #0: {error}", pa.schema([field]), where) from error


def _times(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Read times of which some are endless: the largest value that the type has, or its negative, as in DuckDB."""
    number = pa.int32() if pa.types.is_date(kind) else pa.int64()
    most = 2 ** (number.bit_width - 1) - 1
    endless = compute.is_in(texts, pa.array(_ENDLESS))
    finite = compute.if_else(endless, None, texts).cast(kind).cast(number)
    signs = compute.if_else(compute.equal(texts, "infinity"), pa.scalar(most, number), pa.scalar(-most, number))
    return compute.if_else(compute.fill_null(endless, False), signs, finite).cast(kind)  # noqa: FBT003 - Arrow's own


def _lists(texts: pa.Array, field: pa.Field, where: str) -> pa.Array:
    offsets, elements = [0], list[str]()
    for text in texts.to_pylist():
        if text is not None:
            elements += _elements(text)
        offsets.append(len(elements))
    values = pa.array([], field.type.value_type)
    if elements:
        lines = MARK + "\n".join([*elements, ""]).encode()
        column = pa.schema([(field.name, field.type.value_type)])
        values = decoded(lines, column, where, _ELEMENTS).column(0).combine_chunks()
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, field.type, mask=texts.is_null())


def _elements(text: str) -> list[str]:
    """Take an array apart, whatever number its first element has; quotes stay around those that are in some."""
    body = text[text.index("{") + 1 : -1]
    if body.startswith("{"):
        raise ValueError(f"{text[:_MOST_SHOWN]} is a list of lists")
    return _ELEMENT.findall(body) if '"' in body else body.split(",") if body else []


def _misfit(message: str, schema: pa.Schema, where: str) -> DataError:
    hint = "Cast the column in a query to a type that holds all its values."
    if (place := _PLACE.match(message)) is None:
        return DataError(f"a value is out of range: {message}", where=where, hint=hint)
    field = schema.field(int(place[1]))
    return DataError(
        f"a value is no {field.type}: {message[place.end() :]}", where=f"{where}, column {field.name}", hint=hint
    )
