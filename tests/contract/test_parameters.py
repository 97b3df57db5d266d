"""A pipeline's parameters: values with a type."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from etl_contract import Interval, LoadTask, Parameter, ParameterType, parameter_values


@pytest.mark.parametrize(
    ("written", "value", "kind"),
    [
        (15, 15, "integer"),
        (True, True, "boolean"),
        (1.5, 1.5, "number"),
        ("late", "late", "string"),
        ("2026-01-31", "2026-01-31", "string"),
        (date(2026, 1, 31), date(2026, 1, 31), "date"),
        ({"default": 15, "type": "number"}, 15.0, "number"),
        ({"default": "2026-01-31", "type": "date"}, date(2026, 1, 31), "date"),
        ({"default": None, "type": "integer"}, None, "integer"),
        ({"default": "", "description": "A word"}, "", "string"),
    ],
)
def test_a_parameter_has_the_type_of_its_default(written: Any, value: object, kind: str) -> None:  # noqa: ANN401
    """A plain value is enough; a type that is given holds; and none of it changes on its way into a container."""
    parameter = Parameter.model_validate(written)

    assert (parameter.default, parameter.type) == (value, ParameterType(kind))
    assert type(parameter.default) is type(value)
    assert Parameter.model_validate_json(parameter.model_dump_json()) == parameter


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"default": "15", "type": "integer"}, "'15' is not of type integer"),
        ({"default": True, "type": "integer"}, "True is not of type integer"),
        ({"default": 1.5, "type": "integer"}, "1.5 is not of type integer"),
        ({"default": "soon", "type": "date"}, "'soon' is no date; write one such as 2026-01-31"),
        ({"default": [1]}, r"default: \[1\] is no value; write a text, a number, a date, true or false"),
        ({"default": None}, "type: required where the default is null"),
        (None, "type: required where the default is null"),
        ({"type": "integer"}, "default\n  Field required"),
        ({"default": 1, "type": "int"}, "Input should be 'boolean', 'date', 'integer', 'number' or 'string'"),
    ],
)
def test_a_default_that_cannot_be_is_told(written: Any, told: str) -> None:  # noqa: ANN401
    """The message names the value."""
    with pytest.raises(ValidationError, match=told):
        Parameter.model_validate(written)


@pytest.mark.parametrize(
    ("parameter", "value", "bound"),
    [
        (Parameter(default=15, type=ParameterType.integer), 30, 30),
        (Parameter(default=1.0, type=ParameterType.number), 2, 2.0),
        (Parameter(default=date(2026, 1, 1), type=ParameterType.date), "2026-02-01", date(2026, 2, 1)),
        (Parameter(default=None, type=ParameterType.string), None, None),
        (Parameter(default=None, type=ParameterType.string), "UA", "UA"),
    ],
)
def test_a_run_may_give_another_value_of_the_type(parameter: Parameter, value: object, bound: object) -> None:
    """What the trigger form gives is JSON, and becomes what the type says."""
    assert parameter.with_value(value).default == bound


@pytest.mark.parametrize("value", ["30", 1.5, None, True, [1]])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    """Nothing is converted in silence."""
    with pytest.raises(ValueError, match="is not of type integer"):
        Parameter(default=15, type=ParameterType.integer).with_value(value)


def test_a_task_knows_what_queries_are_bound_to() -> None:
    """The interval's names and the parameters' stand side by side."""
    start, end = datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2026, 1, 2, 5, tzinfo=UTC)
    task = LoadTask(
        pipeline="orders",
        run_id="1",
        interval=Interval(start=start, end=end, timezone="America/New_York"),
        run_uri="file:///runs/orders/1",
        spec={},
        params={"n": Parameter(default=3, type=ParameterType.integer)},
    )

    day = date(2026, 1, 1)
    assert task.values == {"start": start, "end": end, "first_day": day, "last_day": day, "n": 3}
    assert parameter_values(task.params) == {"n": 3}
