"""Holds the words that every section of a pipeline file is made of: names, tables, columns, SQL, kinds."""

import difflib
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, StringConstraints, WithJsonSchema


def matching(pattern: str, says: str) -> tuple[AfterValidator, WithJsonSchema]:
    """Refuse a text that does not match, in words instead of a regular expression."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' is not {says}")
        return text

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


_WORD = "[a-z][a-z0-9_]{0,62}"
Name = Annotated[str, *matching(_WORD, "a name of lower-case letters, digits and _ (at most 63)")]
TableName = Annotated[
    str, *matching(rf"{_WORD}(\.{_WORD})?", "a table such as mart.orders: lower-case letters, digits and _")
]
_ANY = r"[^.\u0000-\u001f]{1,128}"
SourceTable = Annotated[
    str, *matching(rf"{_ANY}(\.{_ANY})?", "a table as its database names it, with one dot at most, after the schema")
]
Sql = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Span = Annotated[
    str,
    *matching(
        r"\d{1,6} (second|minute|hour|day|week)s?", "a span of time; write one such as 90 minutes, 36 hours or 2 days"
    ),
]


def timedelta_of(span: str) -> timedelta:
    """Give a span of time."""
    number, unit = span.split()
    return timedelta(**{f"{unit.removesuffix('s')}s": int(number)})


def kind(noun: str, *kinds: str) -> BeforeValidator:
    """Refuse a section that is of no known kind, before its fields are looked at."""

    def check(section: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        if isinstance(section, BaseModel) or (isinstance(section, dict) and section.keys() & set(kinds)):
            return section
        if not isinstance(section, dict) or not section:
            raise ValueError(f"this is not a {noun}; write one of: {', '.join(kinds)}")
        first = str(next(iter(section)))
        close = difflib.get_close_matches(first, kinds, n=1, cutoff=0.5)
        remedy = f"did you mean '{close[0]}'?" if close else f"write one of: {', '.join(kinds)}"
        raise ValueError(f"'{first}' is not a {noun}; {remedy}")

    return BeforeValidator(check)


def by_kind(*kinds: str) -> Discriminator:
    """Choose a section's model, whose `Tag` is the kind in brackets; so it is no part of a problem's path."""

    def tag(section: Any) -> str | None:  # noqa: ANN401 - whatever stands in the file
        fields = type(section).model_fields if isinstance(section, BaseModel) else section
        return next((f"[{kind}]" for kind in kinds if kind in fields), None)

    return Discriminator(tag)


def by_shape(**shapes: type | tuple[type, ...]) -> Discriminator:
    """Choose what a value is by its type, such as a list or a mapping; a `Tag` is the shape in brackets, too."""

    def tag(value: Any) -> str:  # noqa: ANN401 - whatever stands in the file
        return next((f"[{shape}]" for shape, types in shapes.items() if isinstance(value, types)), "[other]")

    return Discriminator(tag)
