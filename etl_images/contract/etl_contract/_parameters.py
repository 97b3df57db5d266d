"""Models a pipeline's parameters: values with a type that a run may change."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from etl_contract._model import Model

Value = bool | int | float | str | date | datetime | None


class ParameterType(StrEnum):
    """What a parameter's values are, in the words of JSON Schema."""

    boolean = "boolean"
    date = "date"
    integer = "integer"
    number = "number"
    string = "string"


_PYTHON = {
    ParameterType.boolean: bool,
    ParameterType.date: date,
    ParameterType.integer: int,
    ParameterType.number: float,
    ParameterType.string: str,
}
_NAMES = {python: name for name, python in _PYTHON.items()}


class Parameter(Model):
    """A value that a run may change, with its type; a plain value is short for its default."""

    # What queries and functions are told of a run in any case.
    reserved: ClassVar = frozenset(
        {"day", "dry_run", "end", "first_day", "full_refresh", "interval", "last_day", "params", "start"}
    )

    default: StrictBool | StrictInt | StrictFloat | date | StrictStr | None = Field(
        description="Its value where nobody gives another; `null` for none, and then it has a `type`."
    )
    type: ParameterType = Field(description="What its values are; where it is left out, what the default is.")
    description: str = Field(default="", description="What it does, for whoever triggers a run.")

    @model_validator(mode="before")
    @classmethod
    def _typed(cls, written: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        """Take a plain value as the default, and the type from the default."""
        if isinstance(written, cls):
            return written
        if not isinstance(written, dict):
            written = {"default": written}
        default, wanted = written.get("default"), written.get("type")
        if default is not None and type(default) not in _NAMES:
            raise ValueError(f"default: {default!r} is no value; write a text, a number, a date, true or false")
        if wanted is None:
            if default is None and "default" in written:
                raise ValueError("type: required where the default is null")
            return written | {"type": _NAMES.get(type(default), ParameterType.string)}
        if wanted in ParameterType.__members__ and default is not None:
            return written | {"default": _as(ParameterType(wanted), default)}
        return written

    def with_value(self, value: Any) -> Self:  # noqa: ANN401 - whatever the trigger form gave
        """Give the parameter with a run's value in place of the default.

        Raises:
            ValueError: it is of another type.
        """
        if value is None:
            if self.default is not None:
                raise ValueError(f"none is not of type {self.type}")
            return self
        return self.model_copy(update={"default": _as(self.type, value)})


def parameter_values(parameters: Mapping[str, Parameter]) -> dict[str, Value]:
    """Give the parameters' values by name."""
    return {name: parameter.default for name, parameter in parameters.items()}


def _as(wanted: ParameterType, value: Any) -> Any:  # noqa: ANN401 - any value in, one of the type out
    """Give a value as the type has it: a whole number is a number, too, and an ISO text a date."""
    python = _PYTHON[wanted]
    if wanted is ParameterType.number and type(value) is int:
        return float(value)
    if wanted is ParameterType.date and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is no date; write one such as 2026-01-31") from None
    if type(value) is not python:
        raise ValueError(f"{value!r} is not of type {wanted}")
    return value
