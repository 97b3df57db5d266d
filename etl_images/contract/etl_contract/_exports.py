"""Models the files that load writes for others: where each goes, and in which form."""

import re
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, StringConstraints, Tag, field_validator, model_validator

from etl_contract._model import Model
from etl_contract._words import Name, by_shape

_STORES = ("s3",)
_OF_CSV = ("delimiter", "header", "missing", "decimal", "bom", "escape_formulas")
_BOUND = ("start", "end")


class ExportFormat(StrEnum):
    """The form of a file."""

    csv = "csv"
    json = "json"
    ndjson = "ndjson"
    parquet = "parquet"
    xlsx = "xlsx"


class ExportTarget(Model):
    """A file of a dataset's rows, made anew by every run of its interval."""

    volume: ClassVar = "file:///exports"  # where load sees it

    format: ExportFormat = Field(description="The file's form; `json` is one array, `ndjson` an object a line.")
    to: str = Field(
        description="The file: a path in the volume `exports`, such as `orders/{start:%Y-%m-%d}.csv`, or a URI such as "
        "`s3://bucket/orders.csv`. `{start:...}` and `{end:...}` are the run's interval on the pipeline's clock. "
        "With `.gz` at the end it is compressed."
    )
    connection: Name | None = Field(default=None, description="The connection with the keys of the URI's store.")
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = Field(
        default=",", description="What stands between two values of a `csv`."
    )
    header: bool = Field(default=True, description="Whether the first line of a `csv` names the columns.")
    missing: str = Field(default="", description="What stands in a `csv` where a value is missing.")
    decimal: Literal[".", ","] = Field(default=".", description="The decimal sign of a `csv`.")
    bom: bool = Field(
        default=False, description="Whether a `csv` begins with the mark by which Excel knows UTF-8 (`utf-8-sig`)."
    )
    escape_formulas: bool = Field(
        default=False,
        description="Whether a text that a spreadsheet would run as a formula gets a `'` before it in a `csv`.",
    )

    @property
    def remote(self) -> bool:
        """Say whether load needs a way out of the platform."""
        return "://" in self.to and not self.to.startswith("file:")

    @property
    def compressed(self) -> bool:
        """Say whether the file is compressed with gzip."""
        return self.to.endswith(".gz")

    def uri(self, start: datetime, end: datetime, volume: str = volume) -> str:
        """Give the file's address for an interval, on the clock that the two instants are of."""
        path = self.to.format(start=start, end=end)
        if not self.remote:
            path = f"{volume}/{quote(path.removeprefix(self.volume).lstrip('/'))}"
        return path

    @field_validator("to")
    @classmethod
    def _a_place(cls, to: str) -> str:
        _check_template(to)
        instant = datetime(2026, 1, 31, tzinfo=UTC)
        scheme, found, path = to.format(start=instant, end=instant).partition("://")
        if not found:
            path = scheme
            if path.startswith("/"):
                raise ValueError(f"'{to}' is absolute; write a path in the volume, such as orders/today.csv")
        elif scheme == "file":
            if not to.startswith(f"{cls.volume}/"):
                raise ValueError(f"'{to}' is not in the volume; write {cls.volume}/..., or only what follows it")
            path = path.removeprefix("/exports/")
        elif scheme not in _STORES:
            known = ", ".join(f"{store}://" for store in _STORES)
            raise ValueError(f"'{to}' is of no known store; write a path in the volume, or one of: {known}")
        elif not re.fullmatch(r"[\w.-]+/.+", path) or "{" in to.partition("://")[2].partition("/")[0]:
            raise ValueError(f"'{to}' names no file of a bucket; write one such as s3://bucket/orders.csv")
        if {"", ".", ".."} & set(path.split("/")):
            raise ValueError(f"'{to}' has an empty part, a '.' or a '..'; write a path such as orders/today.csv")
        if not path.isprintable() or "\\" in path:
            raise ValueError(f"'{to!r}' has a character that a path should not have")
        return to

    @field_validator("delimiter")
    @classmethod
    def _a_sign(cls, delimiter: str) -> str:
        if delimiter.isalnum() or delimiter in "\"\r\n\0'+-.:":
            raise ValueError(f"{delimiter!r} can be no delimiter; write one such as ',' or ';'")
        return delimiter

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.format is not ExportFormat.csv and (
            strange := [name for name in _OF_CSV if getattr(self, name) != type(self).model_fields[name].default]
        ):
            raise ValueError(f"{strange[0]}: has no meaning for format '{self.format}'")
        if self.decimal == self.delimiter:
            raise ValueError('delimiter: is the decimal sign, too; write delimiter: ";"')
        if self.compressed and self.format in {ExportFormat.parquet, ExportFormat.xlsx}:
            raise ValueError(f"to: format '{self.format}' is compressed already; leave out .gz")
        if self.connection is not None and not self.remote:
            raise ValueError("connection: has no meaning for files of the volume")
        return self


def _check_template(to: str) -> None:
    try:
        parts = list(string.Formatter().parse(to))
    except ValueError as error:
        raise ValueError(f"'{to}' cannot be read: {error}; a brace that is none is written twice") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in _BOUND or conversion or not form):
            raise ValueError(f"there is no value for '{{{name}}}'; write {{start:%Y-%m-%d}} or {{end:%Y-%m-%d}}")


Exports = Annotated[
    dict[
        Name,
        Annotated[
            Annotated[tuple[ExportTarget, ...], Field(min_length=1), Tag("[list]")]
            | Annotated[ExportTarget, Tag("[other]")],
            by_shape(list=(list, tuple)),
        ],
    ],
    Field(min_length=1),
]


def exports_of(exports: Mapping[str, tuple[ExportTarget, ...] | ExportTarget]) -> list[tuple[str, ExportTarget]]:
    """Give each file with the dataset that goes into it, also where there are several of one."""
    return [
        (name, target)
        for name, targets in exports.items()
        for target in (targets if isinstance(targets, tuple) else (targets,))
    ]


class Export(Model):
    """A file that a run has written."""

    dataset: str
    uri: str
    format: ExportFormat
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
