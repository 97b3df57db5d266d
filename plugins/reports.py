"""Shows the reports where people look: a page in the navigation, and a tab on each pipeline and each of its runs."""

from airflow.plugins_manager import AirflowPlugin

from etl_reports import app


class ReportsPlugin(AirflowPlugin):
    """The page `Reports`, the tabs `Report`, and what is behind them (etl_reports)."""

    name = "etl_reports"
    fastapi_apps = [  # noqa: RUF012 - as the base class has it
        {"app": app, "url_prefix": "/reports", "name": "Reports"}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Reports",
            "href": "reports/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "reports",
            "icon": "reports/static/icon.svg",
            "icon_dark_mode": "reports/static/icon-dark.svg",
        },
        {
            "name": "Data flow",
            "href": "reports/dags/{DAG_ID}/flow",
            "destination": "dag",
            "url_route": "data-flow",
        },
        {
            "name": "Report",
            "href": "reports/dags/{DAG_ID}?tab=dag",
            "destination": "dag",
            "url_route": "last-report",
        },
        {
            "name": "Report",
            "href": "reports/dags/{DAG_ID}/runs/{RUN_ID}?tab=run",
            "destination": "dag_run",
            "url_route": "report",
        },
    ]
