"""Serves the files of a run's report, as an application mounted in Airflow's api-server."""

from pathlib import Path

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, Response

from etl_platform import run_folder

REPORTS = Path("/reports")

# A report's script must not act as its viewer: the sandbox gives it an origin of its own, so no cookie goes with it.
POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
TYPES = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml"}
NO_REPORT = "There is no report of this run yet: it is written when the run's visualize task is done."

pages = FastAPI(title="reports", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
may_see_run = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN))


@pages.get("/dags/{dag_id}/runs/{run_id}/{file_name}", dependencies=[may_see_run])
def report(dag_id: str, run_id: str, file_name: str) -> Response:
    """Give a file of a run's report.

    Raises:
        HTTPException: 404 if there is none, or the name is not that of a report's file.
    """
    folder = REPORTS / dag_id / run_folder(run_id)
    # Only a name that stands in the folder is opened, so no name can lead out of it.
    there = {file.name: file for file in folder.iterdir()} if dag_id == Path(dag_id).name and folder.is_dir() else {}
    file = there.get(file_name)
    if file is None or file.suffix not in TYPES:
        raise HTTPException(404, NO_REPORT)
    return FileResponse(file, media_type=TYPES[file.suffix], headers=HEADERS)
