"""Puts a pipeline's parameters into Airflow's trigger form, and takes a run's values from it."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from etl_contract import Parameter, ParameterType
from etl_platform._pipeline import Pipeline

DAY_HELP = (
    "The day that the run is about, in the pipeline's time zone. Left empty, it is the last complete interval of the "
    "schedule. Loading a day again replaces it; nothing is counted twice."
)


def form(pipeline: Pipeline) -> dict[str, Param]:
    """Give the fields of the trigger form: the day, and a field a parameter, of its type."""
    day = Param(None, type=["null", "string"], format="date", title="Day", description=DAY_HELP)
    return {"day": day, **{name: _field(name, parameter) for name, parameter in pipeline.params.items()}}


def run_params(pipeline: Pipeline, filled_in: Mapping[str, Any]) -> dict[str, Parameter]:
    """Give the parameters with the values that a run's form has for them."""
    params = {}
    for name, parameter in pipeline.params.items():
        try:
            params[name] = parameter.with_value(filled_in[name]) if name in filled_in else parameter
        except ValueError as error:
            raise AirflowFailException(f"Parameter {name}: {error}. Trigger the run again with another.") from None
    return params


def _field(name: str, parameter: Parameter) -> Param:
    default = parameter.default
    is_date = parameter.type is ParameterType.date
    kind = "string" if is_date else parameter.type.value
    extra: dict[str, Any] = {"format": "date"} if is_date else {}
    return Param(
        str(default) if is_date and default is not None else default,
        type=[kind, "null"] if default is None else kind,
        title=name.replace("_", " ").capitalize(),
        description=parameter.description or None,
        **extra,
    )
