"""Turns pipeline files into DAGs whose tasks are containers.

    config/pipelines/NAME.yaml ──_yaml──► values and their lines ──_pipeline──► Pipeline ──_dag──► DAG
                                              │ every problem, by line                      │
                                              └──► Broken ──► a DAG that shows the problems  ▼
                                                                                     StageOperator (_operator)
                                                                    StageTask ──► container (_container) ──► StageResult

Importing this package costs little; Airflow itself is imported only where a DAG or an operator is built.
"""

from etl_platform._pipeline import Broken, Limits, Pipeline, StageLimits, read_pipeline, read_pipelines
from etl_platform._problems import Problem
from etl_platform._run_folder import run_folder

__all__ = [
    "Broken",
    "Limits",
    "Pipeline",
    "Problem",
    "StageLimits",
    "read_pipeline",
    "read_pipelines",
    "run_folder",
]
