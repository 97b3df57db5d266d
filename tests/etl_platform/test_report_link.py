"""The button on the task that draws a report leads to the run's tab."""

import pytest
from airflow.sdk.types import TaskInstanceKey

from etl_platform._report_link import ReportLink


@pytest.mark.parametrize(("served", "prefix"), [("http://localhost:8080", ""), ("https://example.org/etl/", "/etl")])
def test_the_address_has_no_servers_name(monkeypatch: pytest.MonkeyPatch, served: str, prefix: str) -> None:
    """People may know the server by another; a path before Airflow's pages stays, and an id is as Airflow writes it."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", served)
    key = TaskInstanceKey("flights", "visualize", "manual__2026-07-02T04:00:00+00:00", 1, -1)
    address = ReportLink().get_link(None, ti_key=key)  # type: ignore[arg-type]  # it needs no operator

    assert address == f"{prefix}/dags/flights/runs/manual__2026-07-02T04:00:00+00:00/plugin/report"
