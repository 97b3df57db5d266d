"""Serves the reports of runs inside Airflow's web UI, to those who may see the run.

/reports/dags/DAG/runs/RUN/index.html ──► _pages: may the user see the run? ──► the volume `reports`
"""

from etl_reports._pages import app

__all__ = ["app"]
