"""Parses a body as JSON so strictly that the Engine cannot read it differently.

The Engine is written in Go, whose parser takes the last of duplicate keys, any case of a key, and replaces what is not
UTF-8. Whatever two parsers could understand in two ways is refused here.
"""

import json
import re
from typing import Any

from etl_docker_guard._errors import Refused

# Possessive, and content with the end of the text as a string's end: no text makes it look at a byte twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
# A create call has some 500 bytes outside its strings. The limit keeps a megabyte of "[[[[" or "{},{}," from becoming
# a hundred megabytes of Python objects.
_MAX_STRUCTURE = 8 * 1024


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object: UTF-8, no duplicate key, no number but plain integers, nothing after it."""
    if len(_STRING.sub(b"", raw)) > _MAX_STRUCTURE:
        raise Refused(f"the body has more than {_MAX_STRUCTURE} bytes outside of its strings")
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_number, parse_constant=_no_number
        )
        json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate can be escaped in JSON, but is no text
    except UnicodeError as error:
        raise Refused("the body is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is not strict JSON: {error}") from error
    if not isinstance(document, dict):
        raise Refused("the body is not a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:80]!r} stands there twice")
        found[key] = value
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text[:80]} is not a plain integer")
