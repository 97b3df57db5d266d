"""Tells Airflow which tables a load changed, and learns from it what changed before a run.

load of flights ── the asset mart.flights, with the interval ──► Airflow ──► a run of each pipeline with
                                                                             schedule: {changed: [mart.flights]}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Asset

from etl_contract import Interval, StageResult
from etl_platform._pipeline import Pipeline


def asset(table: str) -> Asset:
    """Name a table of the warehouse as Airflow knows it."""
    return Asset(name=table, uri=f"warehouse://{table.replace('.', '/')}", group="warehouse")


def outlets(pipeline: Pipeline) -> list[Asset]:
    """Give the tables that a pipeline's load changes."""
    return [asset(table) for table in sorted({target.table for target in pipeline.load.values()})]


def tell(events: Any, pipeline: str, interval: Interval, result: StageResult) -> None:  # noqa: ANN401 - Airflow's mapping
    """Say of each table what the load did, and about which interval.

    Args:
        events: the events that the task leaves, by asset.
        pipeline: whose load it was.
        interval: what it was about.
        result: what it did.
    """
    for load in result.loads:
        events[asset(load.table)].extra = {
            "pipeline": pipeline,
            "dataset": load.dataset,
            "rows": load.rows_staged,
            "inserted": load.rows_inserted,
            "updated": load.rows_updated,
            "deleted": load.rows_deleted,
            **interval.model_dump(mode="json"),
        }


def changed(events: Mapping[Any, Sequence[Any]] | None) -> list[Interval]:
    """Give the intervals of the loads that a run was started by; another's event has none.

    Args:
        events: the events that started the run, by asset; None where the run was started otherwise.
    """
    extras = [event.extra for happened in (events or {}).values() for event in happened]
    fields = Interval.model_fields.keys()
    return [
        Interval.model_validate({name: extra[name] for name in fields}) for extra in extras if fields <= extra.keys()
    ]
