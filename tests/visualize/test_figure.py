"""The numbers at a report's head."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from etl_contract import Figure, SpecError
from etl_visualize._figure import Measured, measure
from tests.visualize.reporting import KnownWarehouse

Rows = Sequence[Mapping[str, Any]]


def _measure(value: Rows, before: Rows = (), **given: Any) -> Measured:  # noqa: ANN401
    figure = Figure.model_validate({"label": "Delay", "sql": "a", **given})
    return measure(1, figure, KnownWarehouse({"a": value, "a before": before, "b": before}))


def _number(value: object) -> Rows:
    return [{"n": value}]


@pytest.mark.parametrize(
    ("value", "given", "text"),
    [
        (1234567, {}, "1,234,567"),
        (12.3456, {}, "12.346"),
        (0.012345, {}, "0.0123"),
        (2.0, {}, "2"),
        (1234.56, {"format": ",.1f"}, "1,234.6"),
        (0.0567, {"format": ".1%"}, "5.7%"),
        (1234.5, {"format": ",d"}, "1,234"),
        (2**60, {}, "1,152,921,504,606,846,976"),
        (float("nan"), {}, "–"),  # noqa: RUF001 - what people see
        (None, {}, "–"),  # noqa: RUF001
        ("JFK", {}, "JFK"),
        (True, {}, "yes"),
    ],
)
def test_a_figure_is_written_for_people(value: object, given: dict[str, str], text: str) -> None:
    """In its format, or as short as it stays exact; what is not there is a dash."""
    assert _measure(_number(value), _number(None), **given).text == text


@pytest.mark.parametrize(
    ("value", "before", "given", "expected"),
    [
        (110, 100, {}, ("up", "", "10.0%")),
        (110, 100, {"better": "higher"}, ("up", "good", "10.0%")),
        (110, 100, {"better": "lower"}, ("up", "bad", "10.0%")),
        (90, 100, {"better": "lower"}, ("down", "good", "10.0%")),
        (-5, -10, {}, ("up", "", "50.0%")),
        (100, 100, {"better": "lower"}, ("same", "", "0.0%")),
        (3, 0, {}, ("up", "", "3")),
        (0.05, 0.04, {"format": ".1%"}, ("up", "", "1.0 points")),
        (3, None, {}, ("", "", "")),
        (None, 3, {}, ("", "", "")),
        ("JFK", "EWR", {}, ("", "", "")),
    ],
)
def test_a_change_is_told(value: object, before: object, given: dict[str, str], expected: tuple[str, str, str]) -> None:
    """As a share, or as points of one; good or bad only where somebody said which is."""
    measured = _measure(_number(value), _number(before), **given)

    assert (measured.direction, measured.news, measured.change) == expected


def test_another_query_gives_what_is_compared_with() -> None:
    """Or nothing does."""
    assert _measure(_number(3), _number(2), compare="b").previous == 2
    assert _measure(_number(3), _number(2), compare=False).previous is None


def test_a_figure_without_a_row_is_a_dash() -> None:
    """An empty day is no mistake."""
    measured = _measure([], _number(1))

    assert (measured.value, measured.direction) == (None, "")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            [{"n": 1}, {"n": 2}],
            (
                "figure 1 'Delay': the query gives 2 rows; a figure is one number. "
                "Aggregate in the query, or make it a table."
            ),
        ),
        (
            [{"n": 1, "m": 2}],
            "figure 1 'Delay': the query gives the columns n, m; a figure is one number. Select only the number.",
        ),
    ],
)
def test_what_is_more_than_a_number_is_refused(rows: Rows, problem: str) -> None:
    """With how many there are, and what to do."""
    with pytest.raises(SpecError) as told:
        _measure(rows)

    assert str(told.value) == problem
