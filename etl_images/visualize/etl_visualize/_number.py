"""Writes numbers as people read them."""

import re

from pydantic import JsonValue

MISSING = "\N{EN DASH}"
_SMALL = 0.1


def formatted(value: JsonValue, form: str = "") -> str:
    """Write a value: a number in its format, with the signs of English; anything else as its text."""
    match value:
        case None:
            return MISSING
        case bool():
            return "yes" if value else "no"
        case int() | float() if form:
            return format(round(value) if form.endswith("d") else value, form)
        case int() | float():
            return _short(value)
        case _:
            return str(value)


def is_number(text: str) -> bool:
    """Tell whether a text is a whole number's."""
    return re.fullmatch(r"-?\d+", text) is not None


def _short(value: float) -> str:
    """Write whole numbers whole, and of others what is of interest."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < _SMALL else f"{value:,.3f}".rstrip("0").rstrip(".")
