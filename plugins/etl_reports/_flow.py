"""Shows a pipeline's data flow on a page for its tab: what it reads, makes and writes."""

import os
from pathlib import Path

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from etl_platform import Broken, read_pipeline
from etl_platform._flow import flow_of
from etl_reports._access import may_see_run
from etl_reports._html import render
from etl_reports._picture import picture
from etl_reports._runs import visible

PIPELINES = Path(os.environ.get("ETL_PIPELINES", "/opt/airflow/config/pipelines"))

router = APIRouter()


@router.get("/dags/{dag_id}/flow", dependencies=[may_see_run])
def flow(request: Request, dag_id: str, session: SessionDep, user: GetUserDep) -> Response:
    """Show a pipeline's data flow, as its file is now.

    Raises:
        HTTPException: 404 if there is no such pipeline.
    """
    known = visible(session, user).get(dag_id)
    # By its name among the files: an id is never made a path.
    file = next((file for file in PIPELINES.glob("*.yaml") if file.stem == dag_id), None)
    if known is None or file is None:
        raise HTTPException(404, f"There is no pipeline {dag_id}.")
    pipeline = read_pipeline(file)
    if isinstance(pipeline, Broken):
        return render(request, "flow.html", dag_id=dag_id, flow=None, picture=None, broken=str(pipeline))
    shown = flow_of(pipeline)
    return render(request, "flow.html", dag_id=dag_id, flow=shown, picture=picture(shown), broken=None)
