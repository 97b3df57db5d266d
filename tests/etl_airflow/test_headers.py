"""Every answer bears the headers that protect who reads it, whichever part of the server gave it."""

import httpx
import pytest

from etl_airflow.headers import HEADERS
from tests.etl_reports.conftest import put
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

HTML = {"Accept": "text/html"}
ANSWERS = {
    "the page": ("GET", "/", httpx.codes.OK),
    "a page that is not there": ("GET", "/dags/nothing", httpx.codes.OK),
    "a file": ("GET", "/static/pin_32.png", httpx.codes.OK),
    "a file that is not there": ("GET", "/static/nothing.js", httpx.codes.NOT_FOUND),
    "the login": ("GET", "/auth/login/", httpx.codes.OK),
    "a file of the login": ("GET", "/auth/static/pin_32.png", httpx.codes.OK),
    "a page of users": ("GET", "/auth/users/list/", httpx.codes.FOUND),
    "a form without its number": ("POST", "/auth/login/", httpx.codes.BAD_REQUEST),
    "data": ("GET", "/api/v2/version", httpx.codes.OK),
    "no data without a login": ("GET", "/api/v2/dags", httpx.codes.UNAUTHORIZED),
    "no reports without a login": ("GET", "/reports/", httpx.codes.UNAUTHORIZED),
    "a wrong method": ("DELETE", "/api/v2/version", httpx.codes.METHOD_NOT_ALLOWED),
    "a wrong body": ("POST", "/auth/token", httpx.codes.UNPROCESSABLE_ENTITY),
    "the tasks' interface": ("GET", "/execution/health", httpx.codes.OK),
    "no address": ("GET", "/api/v2/nothing", httpx.codes.NOT_FOUND),
    "a fault": ("HEAD", "/auth/users/action/nothing/1", httpx.codes.INTERNAL_SERVER_ERROR),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_every_answer_is_protected(door: Site, what: str) -> None:
    """Pages, files, data, refusals, redirects and faults."""
    method, path, status = ANSWERS[what]
    with door.client(None) as client:
        answer = client.request(method, path)
    policy = answer.headers["content-security-policy"]

    assert answer.status_code == status
    assert set(HEADERS) <= {name.title() for name in answer.headers}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    assert "script-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]


def test_a_broken_request_is_answered_with_them(door: Site) -> None:
    """Also where nobody thought of it, and the server says no more than that."""
    with door.client() as admin:
        answer = admin.get("/api/v2/dags?dag_id_pattern=%00")

    assert answer.status_code >= httpx.codes.BAD_REQUEST
    assert set(HEADERS) <= {name.title() for name in answer.headers}
    assert "Traceback" not in answer.text


def test_the_logins_scripts_bear_a_number_that_is_used_once(door: Site) -> None:
    """So a script that somebody brought into a page does not run."""
    with door.client(None) as client:
        policies = [client.get("/auth/login/").headers["content-security-policy"] for _ in range(2)]

    assert policies[0] != policies[1]
    assert all("'nonce-" in policy for policy in policies)


def test_a_report_keeps_its_own_policy(door: Site) -> None:
    """A sandbox, tighter than what all others have."""
    put(door.reports, "orders", "run-1", 1)
    with door.client() as admin:
        report = admin.get("/reports/dags/orders/runs/run-1/index.html")
        page = admin.get("/reports/", headers=HTML)

    assert report.headers.get_list("content-security-policy")[0].startswith("sandbox ")
    assert "cross-origin-opener-policy" not in report.headers
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert len(page.headers.get_list("content-security-policy")) == 1


def test_no_version_is_told_to_everybody(door: Site) -> None:
    """The server's name stands in a header, without a version; nothing says what it runs on."""
    with door.client(None) as client:
        answers = [client.get(path) for path in ("/", "/auth/login/", "/api/v2/dags")]

    assert {answer.headers["server"] for answer in answers} == {"uvicorn"}
    assert not any("x-powered-by" in answer.headers for answer in answers)
