"""Leaves word of a run that has not ended in time; Airflow's scheduler has it called then (deadline alerts)."""

import logging
from datetime import UTC, datetime
from typing import Any

from etl_alerts._outbox import OUTBOX, Happening, Kind, put


def late(context: dict[str, Any]) -> None:
    """Leave word of a run that is not over, though its time is.

    Args:
        context: `dag_run`, as the REST API gives a run.
    """
    run = context["dag_run"]
    happening = Happening(
        kind=Kind.late,
        at=datetime.now(UTC),
        pipeline=run["dag_id"],
        run_id=run["dag_run_id"],
        run_after=run["run_after"],
        data_interval=(run.get("data_interval_start"), run.get("data_interval_end")),
        params=run.get("conf") or {},
    )
    if not put(happening, OUTBOX):
        logging.getLogger(__name__).warning("Nobody is told: there is no outbox at %s", OUTBOX)
