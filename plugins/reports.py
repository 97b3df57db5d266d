"""Shows the report of a run in a tab beside it; what is served stands in etl_reports."""

from airflow.plugins_manager import AirflowPlugin

from etl_reports import app


class ReportsPlugin(AirflowPlugin):
    """The tab `Report` on each run, and the pages behind it."""

    name = "etl_reports"
    fastapi_apps = [  # noqa: RUF012 - as the base class has it
        {"app": app, "url_prefix": "/reports", "name": "Reports"}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Report",
            "href": "reports/dags/{DAG_ID}/runs/{RUN_ID}/index.html",
            "destination": "dag_run",
            "url_route": "report",
        }
    ]
