"""Prepares Airflow and tells its health.

python -m etl_airflow.init      the metadata's schema, the admin and the roles' permissions; quick when all is there
python -m etl_airflow.health    whether a component is alive, for Compose's health checks
"""
