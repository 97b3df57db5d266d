"""Converts texts to a declared type, exactly or not at all."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from etl_contract import Declared, DocumentSource

_ARROW = {
    "text": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_NO_NUMBER = ("nan", "infinity", "+infinity", "-infinity", "inf", "+inf", "-inf")
_OFFSET = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)\z"
_DIGITS_OF_DECIMAL128 = 38


class Conversion:
    """Converts the texts of a column; what is no value of its type is told by its index."""

    def __init__(self, declared: Declared, source: DocumentSource) -> None:
        self._declared, self._source = declared, source
        self._nulls = pa.array(source.nulls, pa.string())
        self.arrow = arrow_type(declared)
        self._convert: Callable[[pa.Array], pa.Array] = {
            "text": self._text,
            "boolean": self._boolean,
            "double": self._double,
            "decimal": self._decimal,
            "smallint": self._number,
            "integer": self._number,
            "bigint": self._number,
        }.get(declared.name, self._moment)

    def of(self, texts: Sequence[str | None]) -> tuple[pa.Array, Sequence[int]]:
        """Give the values, and the indexes of texts that are none; these are null among the values."""
        try:
            array = pa.array(texts, pa.string())
        except (pa.ArrowInvalid, UnicodeEncodeError):  # half a character, as "\ud800" in JSON
            broken = [index for index, text in enumerate(texts) if text is not None and not _is_utf8(text)]
            array, wrong = self.of([None if text is not None and not _is_utf8(text) else text for text in texts])
            return array, sorted({*broken, *wrong})
        if len(self._nulls):
            array = pc.if_else(pc.is_in(array, self._nulls), None, array)
        if self._declared.name != "text":
            array = pc.utf8_trim_whitespace(array)
            array = pc.if_else(pc.equal(array, ""), None, array)
        try:
            values = self._convert(array)
        except (pa.ArrowInvalid, ValueError, OverflowError):
            values = self._one_by_one(array)
        wrong_mask = pc.and_(pc.is_valid(array), pc.is_null(values))
        return values, pc.indices_nonzero(wrong_mask).to_pylist() if pc.any(wrong_mask).as_py() else ()

    def complaint(self, text: str) -> str:
        """Say what is wrong with a text."""
        if self._declared.name == "text":
            return "holds half a character" if not _is_utf8(text) else "holds a NUL character, which no text may"
        name = self._declared.name
        if name == "decimal":
            name = f"decimal({self._declared.precision},{self._declared.scale})"
        return f"is no {name}" + (f" like {self._declared.format}" if self._declared.format else "")

    @property
    def hint(self) -> str:
        """Say what would help."""
        name = self._declared.name
        if name == "text":
            return "Correct it where it comes from."
        if name in {"double", "decimal"}:
            point = self._source.decimal
            return (
                f"Numbers have the decimal point '{point}': see 'decimal', 'thousands' and 'nulls', or declare it text."
            )
        if name == "timestamptz" and self._declared.format is None:
            return (
                "An instant is written like 2026-01-31T10:00:00Z; without an offset it needs 'timezone', and an hour "
                "that clocks there show once."
            )
        if name in {"date", "time", "timestamp", "timestamptz"}:
            iso = {"date": "2026-01-31", "time": "10:00:00"}.get(name, "2026-01-31 10:00:00")
            return f"Without a format a {name} is written like {iso}; declare yours, such as {name}(%d.%m.%Y)."
        return "Correct it, declare a type that has it, or name it in 'nulls'."

    def _text(self, texts: pa.Array) -> pa.Array:
        nul = pc.match_substring(texts, "\0")
        return pc.if_else(nul, None, texts) if pc.any(nul).as_py() else texts

    def _boolean(self, texts: pa.Array) -> pa.Array:
        lower = pc.utf8_lower(texts)
        true, false = (pc.is_in(lower, pa.array(words, pa.string())) for words in (_TRUE, _FALSE))
        return pc.if_else(pc.or_(true, false), true, None)

    def _number(self, texts: pa.Array) -> pa.Array:
        return pc.cast(self._plain(texts, whole=True), self.arrow)

    def _decimal(self, texts: pa.Array) -> pa.Array:
        """Take each text's digits one by one: Arrow's cast of a text loses some in silence where there are too many."""
        found = self._plain(texts, whole=False).to_pylist()
        return pa.array([None if text is None else Decimal(text) for text in found], self.arrow)

    def _double(self, texts: pa.Array) -> pa.Array:
        lower = pc.utf8_lower(texts)
        unbounded = pc.is_in(lower, pa.array(_NO_NUMBER, pa.string()))
        values = pc.cast(pc.if_else(unbounded, lower, self._plain(texts, whole=False)), self.arrow)
        overflown = pc.and_(pc.is_inf(values), pc.invert(unbounded))
        return pc.if_else(pc.fill_null(overflown, fill_value=False), None, values)

    def _plain(self, texts: pa.Array, *, whole: bool) -> pa.Array:
        """Give numbers as Arrow reads them, null where a text is none."""
        point, group = re.escape(self._source.decimal), self._source.thousands
        digits = "[0-9]+" if group is None else rf"(?:[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+)"
        rest = "" if whole else rf"(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]{{1,4}})?"
        start = "" if whole else rf"|{point}[0-9]+(?:[eE][+-]?[0-9]{{1,4}})?"
        is_number = pc.match_substring_regex(texts, rf"\A[+-]?(?:{digits}{rest}{start})\z")
        texts = pc.if_else(is_number, texts, None)
        texts = pc.replace_substring_regex(texts, r"\A\+", "")
        if group is not None:
            texts = pc.replace_substring(texts, group, "")
        return texts if self._source.decimal == "." else pc.replace_substring(texts, self._source.decimal, ".")

    def _moment(self, texts: pa.Array) -> pa.Array:
        if self._declared.format is not None or self._declared.name == "time":
            return self._by_distinct(texts)
        # There is no year 0.
        texts = pc.if_else(pc.starts_with(texts, "0000"), None, texts)
        if self._declared.name != "timestamptz" or self._source.timezone is None:
            return pc.cast(texts, self.arrow)
        has_offset = pc.match_substring_regex(texts, rf"[0-9]{{2}}:[0-9]{{2}}.*{_OFFSET}")
        local = pc.cast(pc.if_else(has_offset, None, texts), pa.timestamp("us"))
        instants = pc.assume_timezone(local, self._source.timezone, ambiguous="raise", nonexistent="raise")
        return pc.coalesce(pc.cast(pc.if_else(has_offset, texts, None), self.arrow), pc.cast(instants, self.arrow))

    def _by_distinct(self, texts: pa.Array) -> pa.Array:
        """Convert each text that is there once; dates, above all, come again and again."""
        encoded = texts.dictionary_encode()
        values = pa.array([self._parsed(text) for text in encoded.dictionary.to_pylist()], self.arrow)
        return values.take(encoded.indices)

    def _parsed(self, text: str) -> Any:  # noqa: ANN401 - a date, a time or an instant
        kind, written = self._declared.name, self._declared.format
        try:
            if kind == "time":
                return datetime.strptime(text, written).time() if written else _time(text)  # noqa: DTZ007
            moment = datetime.strptime(text, written or "")  # noqa: DTZ007 - the zone is looked at below
        except ValueError:
            return None
        if kind == "date":
            return moment.date()
        if kind == "timestamp":
            return moment if moment.tzinfo is None else None
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        return _instant(moment, self._source.timezone) if self._source.timezone else None

    def _one_by_one(self, texts: pa.Array) -> pa.Array:
        """Convert each distinct text by itself, null where that fails."""
        encoded = texts.dictionary_encode()
        values = [self._alone(encoded.dictionary.slice(index, 1)) for index in range(len(encoded.dictionary))]
        return pa.concat_arrays([*values, pa.nulls(0, self.arrow)]).take(encoded.indices)

    def _alone(self, text: pa.Array) -> pa.Array:
        try:
            return self._convert(text)
        except (pa.ArrowInvalid, ValueError, OverflowError):
            return pa.nulls(1, self.arrow)


def arrow_type(declared: Declared) -> pa.DataType:
    """Give the Arrow type of a declared one."""
    if declared.name == "decimal":
        make = pa.decimal128 if declared.precision <= _DIGITS_OF_DECIMAL128 else pa.decimal256
        return make(declared.precision, declared.scale)
    return _ARROW[declared.name]


def _time(text: str) -> time | None:
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", text):
        return None
    return time.fromisoformat(text)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _instant(clock: datetime, zone: str) -> datetime | None:
    """Give the one instant at which a clock shows this, None where clocks that change show it never or twice."""
    first, second = (clock.replace(tzinfo=_zone(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first == second else None


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else True
