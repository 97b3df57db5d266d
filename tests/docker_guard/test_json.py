"""Tests how a body is parsed."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_docker_guard._errors import Refused
from etl_docker_guard._json import parse_object

TEXT = st.text(st.characters(codec="utf-8"))
DOCUMENTS = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=6,
)


@given(DOCUMENTS)
def test_plain_json_is_understood(document: dict[str, object]) -> None:
    """Any object of texts, whole numbers, lists and objects is understood as Python's own parser does."""
    assert parse_object(json.dumps(document).encode()) == document
    assert parse_object(json.dumps(document, ensure_ascii=False).encode()) == document


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"Image": "a", "Image": "b"}', "'Image' stands there twice"),
        (b'{"HostConfig": {"Privileged": false, "\\u0050rivileged": true}}', "'Privileged' stands there twice"),
        (b'{"Memory": NaN}', "NaN is not a plain integer"),
        (b'{"Memory": -Infinity}', "-Infinity is not a plain integer"),
        (b'{"Memory": 1e3}', "1e3 is not a plain integer"),
        (b'{"Memory": 1.0}', "1.0 is not a plain integer"),
        (b'{"Memory": ' + b"9" * 5000 + b"}", "not strict JSON"),
        (b'{"Image": "a"} {"Image": "b"}', "Extra data"),
        (b'{"Image": "a"}}', "Extra data"),
        (b'{"Image": "a",}', "not strict JSON"),
        (b'\xef\xbb\xbf{"Image": "a"}', "not strict JSON"),
        ('{"Image": "a"}'.encode("utf-16"), "not UTF-8"),
        (b'{"Image": "\xff"}', "not UTF-8"),
        (b'{"Image": "\xc0\xaf"}', "not UTF-8"),
        (b'{"Image": "\\ud800"}', "not UTF-8"),
        (b'{"Image": "a\nb"}', "Invalid control character"),
        (b'{"Image": "a\x00"}', "Invalid control character"),
        (b'{"Image": "a', "not strict JSON"),
        (b"[]", "not a JSON object"),
        (b'"a"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"", "not strict JSON"),
        (b"[" * 8000, "not strict JSON"),
    ],
)
def test_whatever_could_be_read_in_two_ways_is_refused(body: bytes, reason: str) -> None:
    """Duplicate keys, odd numbers, other encodings and text after the end are refused, with the reason."""
    with pytest.raises(Refused, match="the body") as refusal:
        parse_object(body)

    assert reason in str(refusal.value)


MIB = 1024 * 1024


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MIB,
        b'{"a":[' + b"{}," * (MIB // 3) + b"]}",
        b'{"a":[' + b'"",' * (MIB // 3) + b"]}",
        b'"\\' * (MIB // 2),
        b'"' + b'\\"' * (MIB // 2),
        b'"' + b'\\"' * (MIB // 2) + b"\\",
        b'"' * MIB,
        b'"' * (MIB - 1) + b"\\",
        b'{"a": "' + b"a" * MIB,
    ],
    ids=[
        "brackets",
        "objects",
        "texts",
        "escapes",
        "open text",
        "open text and escape",
        "quotes",
        "odd quotes",
        "cut off",
    ],
)
def test_a_megabyte_of_anything_is_refused_at_once(body: bytes) -> None:
    """No body makes the parser slow: a megabyte of brackets, quotes or escapes is refused in half a second."""
    started = time.process_time()
    with pytest.raises(Refused):
        parse_object(body)

    assert time.process_time() - started < 0.5
