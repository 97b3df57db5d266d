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
_NUMBERS = (*_DIGITS, "real", "double precision")
_TEXTS = ("text", "character varying")


def fits(ours: str, theirs: str) -> bool:
    """Tell whether a column of the type `theirs` holds every value of the type `ours`, as `format_type` writes both."""
    if ours == theirs:
        return True
    mine, digits = _digits(ours), _digits(theirs)
    if theirs.startswith("numeric") and mine and digits:
        return mine[0] <= digits[0] and mine[1] <= digits[1]
    return _base(theirs) in _WIDER.get(ours, ())


def widened(ours: str, theirs: str) -> str | None:
    """Give the narrowest type that holds every value of both, None where there is none."""
    for candidate in ("integer", "bigint", "real", "double precision"):
        if fits(ours, candidate) and fits(theirs, candidate):
            return candidate
    if _base(ours) in _TEXTS and _base(theirs) in _TEXTS:
        return "text"
    mine, digits = _digits(ours), _digits(theirs)
    if mine is None or digits is None:
        return None
    whole, scale = max(mine[0], digits[0]), max(mine[1], digits[1])
    return "numeric" if math.inf in (whole, scale) else f"numeric({whole + scale},{scale})"


def converts(ours: str, theirs: str) -> bool:
    """Tell whether values of `ours` become a declared type where it holds them, and are refused where it does not.

    Text becomes anything that it spells, and anything becomes text. Numbers become numbers, save that what may have
    digits after the point becomes only a numeric, which rounds to the digits that were declared.
    """
    mine, wanted = _base(ours), _base(theirs)
    if mine in _NUMBERS and wanted in _NUMBERS:
        return wanted == "numeric" or mine in _DIGITS.keys() - {"numeric"}
    return ours == "text" or theirs == "text"


def _base(kind: str) -> str:
    return kind.partition("(")[0]


def _digits(kind: str) -> tuple[float, float] | None:
    """Count a number's digits before and after the point."""
    if match := re.fullmatch(r"numeric\((\d+),(-?\d+)\)", kind):
        precision, scale = int(match[1]), int(match[2])
        return precision - scale, scale
    return _DIGITS.get(kind)
