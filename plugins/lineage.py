"""Tells the notifier when a run begins and ends, where lineage is on."""

from airflow.plugins_manager import AirflowPlugin

from etl_lineage import _listener


class LineagePlugin(AirflowPlugin):
    """Hears from the scheduler of runs (etl_lineage); their stages tell of themselves."""

    name = "etl_lineage"
    listeners = [_listener]  # noqa: RUF012 - as the base class has it
