"""The author's function: how it is found, called, and how its errors are told."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from etl_contract import DataError, Interval, PandasTransform, SpecError
from etl_transform._author import AuthorFunction, load_function

INTERVAL = Interval(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC))
ORDERS = pd.DataFrame({"id": [1, 2]})


def _function(code: str, name: str = "clean") -> AuthorFunction:
    return load_function(PandasTransform(pandas=f"orders.py:{name}"), {"orders.py": code})


def test_frames_come_by_name_and_go_by_name() -> None:
    """A parameter is a dataset, and the returned dict's keys are datasets."""
    function = _function("def clean(orders):\n    return {'orders': orders, 'ids': orders[['id']]}\n")

    assert function.arguments(["orders", "items"]) == {"orders"}
    assert set(function({"orders": ORDERS}, INTERVAL)) == {"orders", "ids"}


def test_the_interval_comes_when_it_is_asked_for() -> None:
    """A parameter called `interval` is the run's interval, not a dataset."""
    function = _function("def clean(orders, interval):\n    return {'orders': orders.assign(day=interval.first_day)}\n")

    assert function.arguments(["orders"]) == {"orders"}
    produced = function({"orders": ORDERS}, INTERVAL)["orders"]
    assert set(produced["day"]) == {INTERVAL.first_day}


def test_the_parameters_come_when_they_are_asked_for() -> None:
    """A parameter called `params` is a dict of the pipeline's parameters."""
    function = _function("def clean(orders, params):\n    return {'orders': orders.assign(n=params['n'] + 1)}\n")

    assert function.arguments(["orders"]) == {"orders"}
    assert list(function({"orders": ORDERS}, INTERVAL, {"n": 1})["orders"]["n"]) == [2, 2]


def test_a_function_of_all_frames_gets_all() -> None:
    """`**frames` takes every dataset."""
    assert _function("def clean(**frames):\n    return frames\n").arguments(["a", "b"]) == {"a", "b"}


def test_a_parameter_that_is_no_dataset_is_told() -> None:
    """A misspelt parameter is found before any row is read."""
    with pytest.raises(SpecError) as error:
        _function("def clean(order):\n    return {}\n").arguments(["orders", "items"])

    assert str(error.value) == (
        "config/pipelines/orders.py, line 1: clean takes 'order', but no source has that name. "
        "There are: orders, items. Did you mean 'orders'?"
    )


def test_an_error_points_to_the_authors_line() -> None:
    """The message names file, line and function, and shows the way there; pandas' own frames are left out."""
    code = (
        "def helper(orders):\n    return orders['price']\n\ndef clean(orders):\n    return {'orders': helper(orders)}\n"
    )

    with pytest.raises(SpecError) as error:
        _function(code)({"orders": ORDERS}, INTERVAL)

    assert error.value.problem == "KeyError: 'price'"
    assert error.value.where == "config/pipelines/orders.py, line 2, in helper"
    assert "return {'orders': helper(orders)}" in error.value.hint
    assert "site-packages" not in error.value.hint


def test_an_author_may_say_what_happens_next() -> None:
    """An error of the contract goes through as it is."""
    code = "from etl_contract import DataError\ndef clean(orders):\n    raise DataError('too few rows', hint='Wait.')\n"

    with pytest.raises(DataError, match=r"too few rows\. Wait"):
        _function(code)({"orders": ORDERS}, INTERVAL)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def clean(orders:\n", "line 1: '(' was never closed"),
        ("import nothing_like_this\n", "line 1, in <module>: ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def claen(orders): pass\n", "there is no function 'clean'. It has: claen. Did you mean 'claen'?"),
        ("clean = 3\n", "there is no function 'clean'. It has: no function."),
    ],
)
def test_a_file_that_cannot_serve_is_told(code: str, problem: str) -> None:
    """What is wrong with the file itself is told with its line."""
    with pytest.raises(SpecError) as error:
        _function(code)

    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [("None", "it returned NoneType"), ("{}", "it returned dict"), ("{'a': 1}", "'a' is int, no DataFrame")],
)
def test_what_is_returned_must_be_frames_by_name(returned: str, problem: str) -> None:
    """A forgotten return is told as such."""
    with pytest.raises(SpecError, match=problem):
        _function(f"def clean(orders):\n    return {returned}\n")({"orders": ORDERS}, INTERVAL)
