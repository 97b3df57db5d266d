"""Nothing is answered without a login, but what is listed here with its reason."""

import re

import httpx
import pytest

from tests.etl_airflow.people import csrf_token
from tests.etl_airflow.routes import METHODS, Route, routes
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

SHELL = "the same empty page for everybody, whose script then asks for data with a login"
LOGIN = "the way in"
OUT = "the way out"
STATIC = "files of Airflow's packages"
KNOWN = "what Airflow's API looks like, which is public knowledge"
ALIVE = "for checks of health; tells that it is alive, and its version"
GONE = "says that there is nothing"
PUBLIC = {
    "GET /{rest_of_path:path}": SHELL,
    "GET /auth/": "leads to that page",
    "GET /auth/login/": LOGIN,
    "POST /auth/login/": LOGIN,
    "POST /auth/token": LOGIN,
    "POST /auth/token/cli": LOGIN,
    "GET /api/v2/auth/logout": OUT,
    "GET /static/{file:path}": STATIC,
    "GET /auth/static/<path:filename>": STATIC,
    "GET /auth/static/appbuilder/<path:filename>": STATIC,
    "GET /openapi.json": KNOWN,
    "GET /auth/openapi.json": KNOWN,
    "GET /execution/openapi.json": KNOWN,
    "GET /execution/docs": KNOWN,
    "GET /execution/docs/oauth2-redirect": KNOWN,
    "GET /execution/redoc": KNOWN,
    "GET /execution/changelog": KNOWN,
    "GET /execution/health": ALIVE,
    "GET /execution/health/ping": ALIVE,
    "GET /api/v2/monitor/health": ALIVE,
    "GET /api/v2/version": ALIVE,
    "GET /health": GONE,
    "GET /api/v1/{_:path}": GONE,
    "GET /api/{_:path}": GONE,
}
# Flask-AppBuilder's pages on which no action of this name exists: they fail over that before they look who asks.
BROKEN = {
    f"POST /auth/{page}/{action}"
    for page in ("users", "actions", "resources", "permissions")
    for action in ("action/<string:name>/<pk>", "action_post")
}
REFUSED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
NOT_THERE = {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}


@pytest.fixture(scope="module")
def table(door: Site) -> list[Route]:
    """Give every route."""
    return routes(door)


def _refuses(answer: httpx.Response) -> bool:
    """Tell whether an answer says no, or leads to the login, or tells nothing but which methods there are."""
    to_login = re.search(r"/auth/(login\b|$)|^\.$", answer.headers.get("location", "")) is not None
    methods = answer.request.method == "OPTIONS" and not answer.content
    return answer.status_code in REFUSED or (answer.is_redirect and to_login) or methods


def _is_a_page(route: Route) -> bool:
    return route.method == "POST" and route.path.startswith("/auth/") and "token" not in route.path


def _breaks(route: Route, answer: httpx.Response) -> bool:
    known = f"POST {route.path}" in BROKEN
    return known and answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR


def test_nothing_is_answered_without_a_login_but_what_is_listed(door: Site, table: list[Route]) -> None:
    """Every route with every method that it has."""
    with door.client(None) as anyone:
        # A form of Flask's is refused without this number in any case: here it is known, and nobody is logged in.
        anyone.headers["X-CSRFToken"] = csrf_token(anyone)
        form = {"action": "copyrole", "rowid": "1"}
        answers = {
            route: anyone.request(route.method, route.address({}), data=form if _is_a_page(route) else None)
            for route in table
        }
    answered = {route: answer for route, answer in answers.items() if not _refuses(answer)}
    wrong = {
        route: (answer.status_code, answer.text[:200])
        for route, answer in answered.items()
        if " ".join(route).replace("HEAD", "GET") not in PUBLIC and not _breaks(route, answer)
    }

    assert len(table) > 250
    assert wrong == {}
    assert {f"{route.method} {route.path}" for route in answered if route.method != "HEAD"} - BROKEN == set(PUBLIC)


def test_no_other_method_is_a_way_in(door: Site, table: list[Route]) -> None:
    """Each path with every method that it does not have: there is nothing, or it is refused."""
    had = {(method, path) for method, path in table}
    answered = []
    with door.client(None) as anyone:
        for path in sorted({route.path for route in table}):
            for method in METHODS:
                if (method, path) in had:
                    continue
                answer = anyone.request(method, Route(method, path).address({}))
                empty = '<div id="root"' in answer.text or not answer.content
                if not (_refuses(answer) or answer.status_code in NOT_THERE or empty):
                    answered.append((method, path, answer.status_code, answer.text[:100]))

    assert answered == []


def test_what_is_refused_is_there_for_the_admin(door: Site, table: list[Route]) -> None:
    """So a refusal is not the answer to a wrong address."""
    with door.client() as admin:
        answers = {
            path: admin.get(Route(method, path).address({})).status_code
            for method, path in table
            if method == "GET"
            and path.startswith(("/api/v2/", "/ui/", "/reports", "/auth/fab/"))
            and "logout" not in path
        }
    refused = [path for path, status in answers.items() if status in REFUSED]

    assert len(answers) > 90
    # What this platform shows nobody, and what it does not use.
    assert refused == ["/api/v2/config", "/api/v2/config/section/{section}/option/{option}", "/ui/teams"]
