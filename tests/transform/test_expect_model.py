"""The rules against a model of them in plain Python: the same rows breach, whatever the values."""

import math
import re
import tempfile
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_contract import ColumnRules
from tests.transform.expecting import check, rows_of, set_aside

INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-3, 3)
DECIMALS = st.decimals(-1000, 1000, places=2, allow_nan=False).map(lambda value: value.quantize(Decimal("0.01")))
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["a", "ab", "b", "B", "é"])
FLOATS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 0.1, 0.3, 1.0])
PATTERNS = ["a", "[ab]+", "a?b", ".", r"\w*", "(a|é).*", ""]

# kind: its type, its values, and what a file may compare them with
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    "integer": (pa.int64(), SMALL | INT64, SMALL | INT64 | st.floats(-4, 4, allow_nan=False) | st.just(10**30)),
    "decimal": (
        pa.decimal128(9, 2),
        DECIMALS,
        st.floats(-1001, 1001, allow_nan=False).map(lambda x: round(x, 3)) | SMALL,
    ),
    "float": (pa.float64(), FLOATS, st.floats(allow_nan=False, allow_infinity=False) | SMALL),
    "text": (pa.string(), TEXTS, TEXTS),
    "date": (pa.date32(), DATES | st.sampled_from([date(2026, 1, 1)]), DATES),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[pa.DataType, list[Any], dict[str, Any]]:
    """Draw a column and rules for it."""
    kind, values, bounds = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    column = draw(st.lists(st.none() | values, max_size=12))
    column += draw(st.lists(st.sampled_from(column), max_size=3)) if column else []
    rules: dict[str, Any] = {"nullable": draw(st.booleans()), "unique": draw(st.booleans())}
    if draw(st.booleans()):
        low, high = sorted([draw(bounds), draw(bounds)])
        ends = [low, high] if draw(st.booleans()) else draw(st.sampled_from([[low, None], [None, high]]))
        rules["in_range"] = ends
    if draw(st.booleans()):
        there = [value for value in column if value is not None] or [draw(bounds)]
        drawn = draw(st.lists(bounds | st.sampled_from(there), min_size=1, max_size=4))
        words = [float(value) if isinstance(value, Decimal) else value for value in drawn]
        rules["one_of"] = [word for word in words if not isinstance(word, float) or math.isfinite(word)]
        if not rules["one_of"]:
            del rules["one_of"]
    if pa.types.is_string(kind):
        if draw(st.booleans()):
            rules["matches"] = draw(st.sampled_from(PATTERNS))
        if draw(st.booleans()):
            rules["length"] = draw(st.sampled_from([[None, 2], [1, None], [1, 3], [0, 0]]))
    return kind, column, rules


def comparable(value: Any, like: Any) -> Any:  # noqa: ANN401 - any value
    """Take a number as the file wrote it, exactly where the column is exact."""
    return Decimal(repr(value)) if isinstance(like, int | Decimal) and isinstance(value, int | float) else value


def breaches(value: Any, rules: ColumnRules, given_rules: dict[str, Any], counts: Counter[Any]) -> bool:  # noqa: ANN401
    """Say whether a value breaches a rule."""
    if value is None:
        return not rules.nullable
    nan = isinstance(value, float) and math.isnan(value)
    if rules.unique and counts["nan" if nan else value] > 1:
        return True
    if "in_range" in given_rules:
        low, high = (end if end is None else comparable(end, value) for end in given_rules["in_range"])
        if nan or (low is not None and value < low) or (high is not None and value > high):
            return True
    strange = "one_of" in given_rules and all(comparable(one, value) != value for one in given_rules["one_of"])
    if strange or (rules.matches is not None and not re.fullmatch(rules.matches, value, re.ASCII)):
        return True
    low, high = rules.length or (None, None)
    return (low is not None and len(value) < low) or (high is not None and len(value) > high)


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_the_rows_that_breach_are_those_of_the_model(case: tuple[pa.DataType, list[Any], dict[str, Any]]) -> None:
    """What is set aside and what is left are the rows, each once, and the former are those that the model names."""
    kind, column, given_rules = case
    rules = ColumnRules.model_validate(given_rules)
    counts = Counter(
        "nan" if isinstance(value, float) and math.isnan(value) else value for value in column if value is not None
    )
    expected = [number for number, value in enumerate(column, 1) if breaches(value, rules, given_rules, counts)]
    rows = pa.table({"number": pa.array(range(1, len(column) + 1), pa.int64()), "x": pa.array(column, kind)})

    with tempfile.TemporaryDirectory() as folder:
        result = check(Path(folder), rows, columns={"x": given_rules}, on_breach="quarantine")
        gone = list(set_aside(result))
        left = rows_of(result.datasets[0])["number"].to_pylist()

    assert gone == expected
    assert left == [number for number in range(1, len(column) + 1) if number not in expected]
