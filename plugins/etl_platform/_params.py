"""Puts what a run may be asked for into Airflow's trigger form: its days, its manner, the pipeline's parameters."""

from typing import Any

from airflow.sdk import Param

from etl_contract import Parameter, ParameterType
from etl_platform._pipeline import Pipeline
from etl_platform._refresh import refresh_problems

OF_THE_LAST = "Leave all three empty for the last complete interval of the schedule, and in a backfill."
DAY_HELP = (
    "The day that the run is about, in the pipeline's time zone; leave it empty if you give Start and End. "
    f"{OF_THE_LAST} Loading a day again replaces it; nothing is counted twice."
)
START_HELP = "Where the run's span of time begins: {begins}. Give End, too, and no Day."
END_HELP = "Where that span ends: {ends}. It lies in the past."
DRY_RUN_HELP = (
    "Extract and transform only. The log of load shows what would be loaded: rows, columns, the first rows. "
    "Nothing is written into the warehouse, no file is exported, and no source is marked as read."
)
FULL_REFRESH_HELP = (
    "Read the sources from their beginning, also what was loaded before, and replace all rows of the tables with what "
    "they give, in one transaction. A run with it takes no Day, Start or End."
)


def form(pipeline: Pipeline) -> dict[str, Param]:
    """Give the fields of the trigger form, each with its help; a full refresh only where nothing would be lost."""
    moment: dict[str, Any] = {"type": ["null", "string"], "format": "date" if pipeline.of_days else "date-time"}
    begins, ends = ("the first day", "the last day, which belongs to it") if pipeline.of_days else ("a time", "a time")
    fields = {
        "day": Param(None, type=["null", "string"], format="date", title="Day", description=DAY_HELP),
        "start": Param(None, title="Start", description=START_HELP.format(begins=begins), **moment),
        "end": Param(None, title="End", description=END_HELP.format(ends=ends), **moment),
        "dry_run": Param(False, type="boolean", title="Dry run", description=DRY_RUN_HELP),  # noqa: FBT003 - the default
    }
    if not refresh_problems(pipeline):
        refresh = Param(False, type="boolean", title="Full refresh", description=FULL_REFRESH_HELP)  # noqa: FBT003
        fields["full_refresh"] = refresh
    return fields | {name: _field(name, parameter) for name, parameter in pipeline.params.items()}


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
