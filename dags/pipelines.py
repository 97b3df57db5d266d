"""Gives Airflow one DAG for every file in config/pipelines; what such a DAG is stands in plugins/etl_platform."""

from etl_platform._dag import build_dags

globals().update(build_dags())
