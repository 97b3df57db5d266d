"""Serves the pages and the reports, as an application mounted in Airflow's api-server."""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import BeforeValidator
from starlette.exceptions import HTTPException as AnyHTTPException

from etl_contract import ReportSummary
from etl_reports._access import may_see_run
from etl_reports._flow import router as flow
from etl_reports._html import HERE, STATIC, render, wants_page
from etl_reports._listing import Line, chosen, page_number, paged
from etl_reports._runs import latest, states, visible
from etl_reports._shelf import Shelf

# A report's script must not act as its viewer: the sandbox gives it an origin of its own, so no cookie goes with it.
POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; img-src data: blob:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
TYPES = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml"}
NO_REPORT = "There is no report of this run yet: it is written when the run's visualize task is done."
HISTORY = 25
UNKNOWN = 401

shelf = Shelf(Path(os.environ.get("ETL_REPORTS", "/reports")))


def can_be_asked(request: Request) -> None:
    """Refuse an id that PostgreSQL does not even look for.

    Raises:
        HTTPException: 404.
    """
    if any("\0" in value for value in request.path_params.values()):
        raise HTTPException(404, "There is no such address.")


pages = FastAPI(
    title="reports",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(get_user), Depends(can_be_asked)],
)
pages.include_router(flow)
Number = Annotated[int, BeforeValidator(page_number)]


@pages.exception_handler(AnyHTTPException)
async def explain(request: Request, error: AnyHTTPException) -> Response:
    """Answer a person with a page: to log in, or what to do."""
    if not wants_page(request):
        return await http_exception_handler(request, error)
    if error.status_code == UNKNOWN:
        prefix = str(request.scope.get("root_path", "")).removesuffix("/reports")
        return RedirectResponse(f"{prefix}/api/v2/auth/login?next={quote(str(request.url), safe='')}", 303)
    return render(request, "error.html", error.status_code, status_code=error.status_code, detail=error.detail)


@pages.get("/")
def reports(request: Request, session: SessionDep, user: GetUserDep, page: Number = 1) -> Response:
    """Show every pipeline with its last report."""
    pipelines = visible(session, user)
    runs = latest(session, pipelines.keys())
    kept = shelf.of(pipelines)
    lines = [Line(pipeline, kept[name], runs.get(name)) for name, pipeline in pipelines.items()]
    found = paged(chosen(lines, request.query_params), page)
    all_reports = sum(map(len, kept.values()))
    return render(request, "reports.html", page=found, all_pipelines=len(lines), all_reports=all_reports)


@pages.get("/static/{file_name}")
def static(file_name: str) -> Response:
    """Give a file that the pages need.

    Raises:
        HTTPException: 404 if there is none of this name.
    """
    file = {file.name: file for file in (HERE / "static").iterdir()}.get(file_name)
    if file is None:
        raise HTTPException(404, "There is no such file.")
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=300"}
    return FileResponse(file, media_type=STATIC[file.suffix], headers=headers)


@pages.get("/dags/{dag_id}", dependencies=[may_see_run])
def pipeline(request: Request, dag_id: str, session: SessionDep, user: GetUserDep) -> Response:
    """Show a pipeline's last report, or say why there is none.

    Raises:
        HTTPException: 404 if there is no such pipeline.
    """
    known = visible(session, user).get(dag_id)
    kept = shelf.reports(dag_id) if known else []
    if known is None:
        raise HTTPException(404, f"There is no pipeline {dag_id}.")
    run = latest(session, [dag_id]).get(dag_id)
    if not kept:
        return render(request, "missing.html", dag_id=dag_id, run=run, run_id=run.run_id if run else "", last=None)
    return _shown(request, kept, kept[0], states(session, dag_id, [kept[0].run_id]).get(kept[0].run_id), run)


@pages.get("/dags/{dag_id}/history", dependencies=[may_see_run])
def history(request: Request, dag_id: str, session: SessionDep, user: GetUserDep, page: Number = 1) -> Response:
    """List a pipeline's reports, the latest interval's first.

    Raises:
        HTTPException: 404 if there is no such pipeline.
    """
    known = visible(session, user).get(dag_id)
    if known is None:
        raise HTTPException(404, f"There is no pipeline {dag_id}.")
    words = request.query_params.get("q", "").casefold().split()
    kept = shelf.reports(dag_id)
    matching = [
        report for report in kept if all(word in f"{report.interval} {report.run_id}".casefold() for word in words)
    ]
    found = paged(matching, page, HISTORY)
    runs = states(session, dag_id, [report.run_id for report in found.items])
    return render(request, "history.html", pipeline=known, page=found, runs=runs, all_reports=len(kept))


@pages.get("/dags/{dag_id}/runs/{run_id}", dependencies=[may_see_run])
def run(request: Request, dag_id: str, run_id: str, session: SessionDep) -> Response:
    """Show a run's report, or say why there is none, and what to do."""
    kept = shelf.reports(dag_id)
    its_run = states(session, dag_id, [run_id]).get(run_id)
    if "index.html" in shelf.files(dag_id, run_id):
        report = next((report for report in kept if report.run_id == run_id), None)
        if report is not None:
            return _shown(request, kept, report, its_run, its_run)
    last = kept[0] if kept else None
    status = 200 if its_run else 404
    return render(request, "missing.html", status, dag_id=dag_id, run_id=run_id, run=its_run, last=last)


@pages.get("/dags/{dag_id}/runs/{run_id}/{file_name}", dependencies=[may_see_run])
def report(dag_id: str, run_id: str, file_name: str, save: str | None = None) -> Response:
    """Give a file of a run's report; to save it, under a name that says what it is about.

    Raises:
        HTTPException: 404 if there is none, or the name is not that of a report's file.
    """
    file = shelf.files(dag_id, run_id).get(file_name)
    if file is None or file.suffix not in TYPES:
        raise HTTPException(404, NO_REPORT)
    headers = dict(HEADERS)
    if save is not None:
        about = next((str(kept.interval) for kept in shelf.reports(dag_id) if kept.run_id == run_id), "report")
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{dag_id}-{about}").strip("-")
        headers["Content-Disposition"] = f'attachment; filename="{name}{file.suffix}"'
    return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


def _shown(
    request: Request, kept: list[ReportSummary], shown: ReportSummary, its_run: object, last_run: object
) -> Response:
    """Show a report between its neighbours in time."""
    at = kept.index(shown)
    older = kept[at + 1] if at + 1 < len(kept) else None
    newer = kept[at - 1] if at else None
    runs = {"run": its_run, "last_run": last_run}
    return render(request, "report.html", 200, report=shown, older=older, newer=newer, kept=len(kept), **runs)
