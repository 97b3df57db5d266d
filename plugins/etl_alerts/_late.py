"""Leaves word of a run that has not ended in time; Airflow's scheduler has it called then (deadline alerts)."""

import logging
from typing import Any

from etl_alerts._outbox import OUTBOX, Happening, Kind, put
from etl_contract import Interval
from etl_platform._request import is_dry_run

_OVER = {"success", "failed"}


def late(context: dict[str, Any]) -> None:
    """Leave word of a run that is not over, though its time is.

    Args:
        context: `dag_run`, as the REST API gave the run when its `deadline` was seen to be missed.
    """
    run = context["dag_run"]
    # Airflow keeps the deadline of a run that failed before it, or that a person marked.
    if run["state"] in _OVER or is_dry_run(run["conf"]):
        return
    happening = Happening(
        kind=Kind.late,
        at=context["deadline"]["deadline_time"],
        pipeline=run["dag_id"],
        run_id=run["dag_run_id"],
        interval=_interval(run),
    )
    if not put(happening, OUTBOX):
        logging.getLogger(__name__).warning("Nobody is told: there is no outbox at %s", OUTBOX)


def _interval(run: dict[str, Any]) -> Interval | None:
    """Give what a run of the schedule is about; of one by hand, only the run itself knows."""
    start, end = (run.get(f"data_interval_{end}") for end in ("start", "end"))
    if run.get("run_type") != "scheduled" or start is None or end is None or start == end:
        return None
    return Interval(start=start, end=end)
