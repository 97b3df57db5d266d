"""Writes Arrow's values as text, in compiled loops where there are some: a column's cells, then rows of them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as of

from etl_load._endless import parted

# What float64 says of what is no number, and what PostgreSQL says of it.
NO_NUMBER = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_NO_TEXT = "<value out of range"  # what Arrow writes for years that it cannot
_FORMULA = r"^[=+\-@\t\r]"


def text(values: pa.Array) -> pa.Array:  # noqa: PLR0911 - a family of types a line
    """Give each value as its text, missing ones as null: numbers exact, instants as ISO 8601 in UTC.

    Raises:
        OverflowError: a date or a time has none.
    """
    kind = values.type
    if of.is_dictionary(kind):
        return text(values.dictionary_decode())
    if of.is_floating(kind):
        words = values.cast(pa.string())
        for arrow, word in NO_NUMBER.items():
            words = pc.if_else(pc.equal(words, arrow), word, words)
        return words
    if of.is_date(kind) or of.is_timestamp(kind):
        return _times(values)
    if of.is_time(kind):
        return _whole_seconds(values.cast(pa.string()))
    if of.is_duration(kind):
        return pc.divide(values.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6).cast(pa.string())
    if of.is_nested(kind):
        return pa.array([None if value is None else _json(value) for value in _python(values)], pa.string())
    if of.is_binary(kind) or of.is_large_binary(kind) or of.is_fixed_size_binary(kind):
        return pa.array([None if value is None else _word(value) for value in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a type's texts are JSON as they are."""
    families = (of.is_integer, of.is_floating, of.is_decimal, of.is_boolean, of.is_duration)
    return any(belongs(kind) for belongs in families)


def json_cell(values: pa.Array) -> pa.Array:
    """Give each value as JSON; what is missing is null, what is no number the text that PostgreSQL writes."""
    kind = values.type
    words = text(values)
    if of.is_floating(kind):
        words = pc.if_else(pc.is_finite(values), words, pc.binary_join_element_wise('"', words, '"', ""))
    elif not (is_number(kind) or of.is_nested(kind)):
        words = pa.array([None if word is None else encode_basestring(word) for word in words.to_pylist()], pa.string())
    return words.fill_null("null")


def csv_cell(values: pa.Array, special: str, missing: str, decimal: str, *, escape_formulas: bool) -> pa.Array:
    """Give each value as a cell: quoted where it must be, and where it would be taken for a missing one."""
    kind = values.type
    words = text(values)
    if decimal != "." and (of.is_floating(kind) or of.is_decimal(kind) or of.is_duration(kind)):
        words = pc.replace_substring(words, ".", decimal)
    elif not is_number(kind):
        if escape_formulas:
            words = pc.if_else(
                pc.match_substring_regex(words, _FORMULA), pc.binary_join_element_wise("'", words, ""), words
            )
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(words, '"', '""'), '"', "")
        needs = pc.or_(pc.match_substring_regex(words, special), pc.equal(words, missing))
        words = pc.if_else(needs, quoted, words)
    return words.fill_null(missing)


def joined(pieces: Sequence[pa.Array | pa.Scalar | str], between: str) -> memoryview:
    """Put rows of cells together, row after row."""
    rows = pc.binary_join_element_wise(*pieces, between)
    return memoryview(rows.buffers()[2] or b"")


def _times(values: pa.Array) -> pa.Array:
    finite, signs = parted(values)
    if of.is_timestamp(finite.type):  # Arrow would write it in its own zone
        finite = finite.cast(pa.timestamp(finite.type.unit))
    words = finite.cast(pa.string())
    if pc.any(pc.starts_with(words, _NO_TEXT)).as_py():
        raise OverflowError("a date or a time is beyond the year 32,767")
    if of.is_timestamp(finite.type):
        words = _whole_seconds(pc.replace_substring(words, " ", "T", max_replacements=1))
        if values.type.tz is not None:
            words = pc.binary_join_element_wise(words, "Z", "")
    return words if signs is None else pc.coalesce(pc.if_else(pc.greater(signs, 0), "infinity", "-infinity"), words)


def _whole_seconds(words: pa.Array) -> pa.Array:
    """Leave out a fraction of a second that is nothing."""
    return pc.replace_substring_regex(words, r"\.0+$", "")


def _python(values: pa.Array) -> list[Any]:
    """Give nested values as Python's, with their dates and instants as texts: Python has not all of them."""
    kind = values.type
    if of.is_date(kind) or of.is_timestamp(kind):
        return list(text(values).to_pylist())
    if of.is_struct(kind):
        columns = [_python(column) for column in values.flatten()]
        rows = [dict(zip(kind.names, row, strict=True)) for row in zip(*columns, strict=True)]
        return [row if there else None for row, there in zip(rows, values.is_valid().to_pylist(), strict=True)]
    if of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind):
        within = iter(_python(values.flatten()))
        return [None if n is None else list(islice(within, n)) for n in pc.list_value_length(values).to_pylist()]
    found: list[Any] = values.to_pylist(maps_as_pydicts="strict")
    return found


def _json(value: Any) -> str:  # noqa: ANN401 - any nested value
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=_word)


def _finite(value: Any) -> Any:  # noqa: ANN401 - any nested value
    if isinstance(value, float) and str(value) in NO_NUMBER:
        return NO_NUMBER[str(value)]
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list) else value


def _word(value: Any) -> str:  # noqa: ANN401 - any value that JSON has no word for
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
