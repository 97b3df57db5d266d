"""Tells the notifier when a run has ended."""

from airflow.plugins_manager import AirflowPlugin

from etl_alerts import _listener


class AlertsPlugin(AirflowPlugin):
    """Hears from the scheduler what became of runs (etl_alerts)."""

    name = "etl_alerts"
    listeners = [_listener]  # noqa: RUF012 - as the base class has it
