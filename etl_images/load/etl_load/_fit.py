"""Knows which types take the values of which others with no loss."""

import math
import re
from collections.abc import Mapping

_WIDER: Mapping[str, tuple[str, ...]] = {
    "smallint": ("integer", "bigint", "real", "double precision"),
    "integer": ("bigint", "double precision"),
    "real": ("double precision",),
    "text": ("character varying",),  # what is too long for it is refused when it is inserted
}
_DIGITS = {"smallint": (5, 0), "integer": (10, 0), "bigint": (19, 0), "numeric": (math.inf, math.inf)}


def fits(ours: str, theirs: str) -> bool:
    """Tell whether a column of the type `theirs` holds every value of the type `ours`, as `format_type` writes both."""
    if ours == theirs:
        return True
    mine, digits = _digits(ours), _digits(theirs)
    if theirs.startswith("numeric") and mine and digits:
        return mine[0] <= digits[0] and mine[1] <= digits[1]
    return theirs.partition("(")[0] in _WIDER.get(ours, ())


def _digits(kind: str) -> tuple[float, float] | None:
    """Count a number's digits before and after the point."""
    if match := re.fullmatch(r"numeric\((\d+),(-?\d+)\)", kind):
        precision, scale = int(match[1]), int(match[2])
        return precision - scale, scale
    return _DIGITS.get(kind)
