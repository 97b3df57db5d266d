"""Lets only those through who may see a pipeline's runs."""

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends

may_see_run = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN))
