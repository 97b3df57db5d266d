"""Models what sources have in common whose rows stand in documents: the files of a folder, the answers of a server."""

import codecs
import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from etl_contract._columns import ColumnType, declared
from etl_contract._model import Model
from etl_contract._words import Column

_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_CHARACTER = Field(min_length=1, max_length=1)


class Format(StrEnum):
    """What a document is."""

    csv = "csv"
    json = "json"
    ndjson = "ndjson"
    parquet = "parquet"
    xlsx = "xlsx"


_ENDINGS = {f".{form.value}": form for form in Format} | {".jsonl": Format.ndjson}
_MEANING = {
    "delimiter": {Format.csv},
    "quote": {Format.csv},
    "escape": {Format.csv},
    "encoding": {Format.csv},
    "header": {Format.csv, Format.xlsx},
    "skip": {Format.csv, Format.xlsx},
    "decimal": {Format.csv, Format.xlsx},
    "thousands": {Format.csv, Format.xlsx},
    "nulls": set(Format) - {Format.parquet},
    "columns": set(Format) - {Format.parquet},
    "timezone": set(Format) - {Format.parquet},
    "records": {Format.json},
    "sheet": {Format.xlsx},
}


class DocumentSource(Model):
    """How the rows of a document are read; nothing is guessed from the rows."""

    format: Format | None = Field(
        default=None, description="What the documents are; needed where the name does not end with it."
    )
    columns: dict[Column, ColumnType] = Field(
        default={}, description="The types of columns, by name; a column that is not named here is text."
    )
    delimiter: Annotated[str, _CHARACTER] = Field(default=",", description="What stands between two fields of CSV.")
    quote: Annotated[str, Field(max_length=1)] = Field(
        default='"', description="What stands around a field of CSV, and doubled in it; empty where nothing does."
    )
    escape: Annotated[str, _CHARACTER] | None = Field(
        default=None, description="What stands before a character of CSV that is to be taken as it is, such as `\\`."
    )
    encoding: str = Field(default="utf-8", description="The encoding of CSV, such as `windows-1252`.")
    header: bool = Field(
        default=True, description="Whether the first row names the columns; otherwise `columns` names them, in order."
    )
    skip: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="How many lines of CSV, or rows of a sheet, stand before the first row."
    )
    decimal: Annotated[str, _CHARACTER] = Field(default=".", description="The decimal point of numbers.")
    thousands: Annotated[str, _CHARACTER] | None = Field(
        default=None, description="What groups the digits of numbers by three, if anything."
    )
    nulls: tuple[str, ...] = Field(
        default=(), description="Words that stand for a missing value, such as `NA`; an empty field always does."
    )
    timezone: str | None = Field(
        default=None, description="The time zone of `timestamptz` values that are written without an offset."
    )
    records: str | None = Field(
        default=None,
        description="Where the list of records stands in JSON, such as `data.items`; else it is the whole.",
    )
    sheet: str | None = Field(default=None, description="The sheet of a workbook; needed where it has several.")
    member: str | None = Field(
        default=None, description="Which files of a zip archive are read, such as `*.csv`; otherwise all are."
    )
    max_size: str = Field(
        default="2g", description="The most that a run may read, and that archives may unpack to, such as `500m`."
    )

    @property
    def location(self) -> str:
        """Give the address or pattern, whose ending may tell the format."""
        raise NotImplementedError

    @property
    def form(self) -> Format:
        """Give the format, as declared or as the name ends."""
        form = self.format or format_of(self.location)
        if form is None:
            raise ValueError("format: required, since the name does not end with one; write csv, json, ndjson, ...")
        return form

    @property
    def most_bytes(self) -> int:
        """Give the size limit in bytes."""
        return int(self.max_size[:-1]) * _UNITS[self.max_size[-1]]

    @field_validator("columns")
    @classmethod
    def _possible(cls, columns: dict[str, str]) -> dict[str, str]:
        for written in columns.values():
            declared(written)
        return columns

    @field_validator("max_size")
    @classmethod
    def _a_size(cls, size: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,6}[kmg]", size):
            raise ValueError(f"'{size}' is no size; write one such as 500m or 2g")
        return size

    @field_validator("encoding")
    @classmethod
    def _real_encoding(cls, encoding: str) -> str:
        try:
            if codecs.lookup(encoding)._is_text_encoding:  # noqa: SLF001 - as TextIOWrapper asks it
                return encoding
        except (LookupError, ValueError):
            pass
        raise ValueError(f"'{encoding}' is no encoding; write one such as utf-8, windows-1252 or utf-16")

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, timezone: str | None) -> str | None:
        try:
            ZoneInfo(timezone or "UTC")
        except (ValueError, OSError, KeyError):
            raise ValueError(f"there is no time zone '{timezone}'; write one such as Europe/Paris") from None
        return timezone

    @model_validator(mode="after")
    def _fits_the_format(self) -> Self:
        form = self.form
        for field, forms in _MEANING.items():
            # By value: what a task carries through JSON has every field set.
            if form not in forms and getattr(self, field) != type(self).model_fields[field].default:
                raise ValueError(f"{field}: has no meaning for format '{form}'")
        if not self.header and not self.columns:
            raise ValueError("columns: required where there is no header; name every column, in order")
        if self.thousands == self.decimal:
            raise ValueError(f"thousands: is '{self.thousands}', like the decimal point")
        signs = [sign for sign in (self.delimiter, self.quote, self.escape) if sign]
        if len(set(signs)) != len(signs) or set(signs) & {"\n", "\r", "\0"}:
            raise ValueError("delimiter: delimiter, quote and escape are three different characters, and no line ends")
        return self


def format_of(location: str) -> Format | None:
    """Tell the format by a name's ending; `.gz` and `.zip` after it do not count."""
    path = PurePosixPath(re.split(r"[?#]", location, maxsplit=1)[0].lower())
    while path.suffix in {".gz", ".zip"}:
        path = path.with_suffix("")
    return _ENDINGS.get(path.suffix)
