"""Links the task that draws a report with the tab that shows it."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from etl_platform._run_path import run_path

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class ReportLink(BaseOperatorLink):
    """The button `Report` on the visualize task, once it has ended."""

    name = "Report"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Give the address of the run's tab, without the server's name: people may know it by another."""
        del operator
        prefix = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
        return f"{prefix}{run_path(ti_key.dag_id, ti_key.run_id)}/plugin/report"
