"""Models the types that an author gives the columns of a document: PostgreSQL's words, dates with their format."""

import re
from typing import Annotated, NamedTuple

from etl_contract._words import matching

_WRITTEN = (
    r"(?P<name>text|boolean|smallint|integer|bigint|double)"
    r"|(?:decimal|numeric)\((?P<precision>[1-9]\d?), ?(?P<scale>\d{1,2})\)"
    r"|(?P<time>date|time|timestamp|timestamptz)(?:\((?P<format>.*%.*)\))?"
)
MOST_DIGITS = 76  # what Arrow's longest decimal holds
ColumnType = Annotated[
    str,
    *matching(
        f"(?:{re.sub(r'\?P<\w+>', '', _WRITTEN)})",
        "a type; write text, boolean, smallint, integer, bigint, double, decimal(10,2), date, time, timestamp, "
        "timestamptz, or with its format date(%d.%m.%Y)",
    ),
]


class Declared(NamedTuple):
    """A column's type in its parts: `decimal` with digits, `date` and the like with a format or without."""

    name: str
    precision: int = 0
    scale: int = 0
    format: str | None = None


def declared(text: str) -> Declared:
    """Take a written type apart.

    Raises:
        ValueError: a decimal has more digits than can be, or more after the point than in all.
    """
    found = re.fullmatch(_WRITTEN, text)
    if found is None:
        raise ValueError(f"'{text}' is no type")
    if found["precision"] is None:
        return Declared(found["name"] or found["time"], format=found["format"])
    precision, scale = int(found["precision"]), int(found["scale"])
    if precision > MOST_DIGITS or scale > precision:
        raise ValueError(f"'{text}' cannot be: at most {MOST_DIGITS} digits, of which some stand after the point")
    return Declared("decimal", precision, scale)
