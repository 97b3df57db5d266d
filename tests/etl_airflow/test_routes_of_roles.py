"""Every route of the web server, asked by each role: whom it is for, and that it is for nobody else."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.etl_airflow.people import anyone, by_form, csrf_token, let_in, new_person
from tests.etl_airflow.routes import Route, routes
from tests.etl_airflow.test_roles import ROLES
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

NO_ROLE = "no role"
# The least role that a route is for: of the first line that it is like.
LEAST = {
    r"GET /api/v2/config(/|$)|GET /ui/teams": NO_ROLE,
    r"\w+ /auth/fab/v1/|GET /api/v2/eventLogs": "Admin",
    r"\w+ /api/v2/(connections|variables|providers)|GET /ui/connections/": "Op",
    r"(?!GET)\w+ /api/v2/pools|(?!GET)\w+ /api/v2/.*/xcomEntries": "Op",
    r"(?!GET)\w+ /api/v2/assets/{asset_id}/state-store|DELETE /api/v2/.*queuedEvents": "Op",
    r"GET |POST /api/v2/.*/list$|POST /api/v2/.*/(un)?favorite$|POST /ui/auth/token": "Viewer",
    r"": "User",
}
# Here the server reads the body before it looks who asks, so that an empty one tells nothing: tried in test_roles.py.
BY_BODY = {
    "PATCH /api/v2/connections",
    "PATCH /api/v2/pools",
    "PATCH /api/v2/variables",
    "PATCH /api/v2/dags/{dag_id}/dagRuns",
    "POST /api/v2/dags/{dag_id}/clearDagRuns",
    "GET /api/v2/connections/enqueue-test",
    "POST /api/v2/connections/enqueue-test",
    "PUT /api/v2/backfills/{backfill_id}/cancel",
    "PUT /api/v2/backfills/{backfill_id}/pause",
    "PUT /api/v2/backfills/{backfill_id}/unpause",
}
# Of things that are not there: who may, is told so, and nothing is changed.
NOTHING = {"dag_id": "nothing", "asset_id": "999999", "backfill_id": "999999", "pk": "999999"}
# The pages of one's own account, and those that lead elsewhere.
OWN = r"/auth/(|back|openapi\.json|resetmypassword/form|userinfoeditview/form|users/userinfo/)"
# No action of these names exists: whoever comes is led elsewhere, or it fails over that.
NO_ACTION = r"/auth/\w+/action(/<string:name>/<pk>|_post)"
ADMINS = (
    r"/auth/(users|roles)/.*|/auth/(actions|resources|permissions)/list/|/auth/(resetpassword|userstatschartview)/.*"
)


def _least(may: list[bool]) -> str:
    """Give the least role that may; what a role may, those after it may."""
    assert may == sorted(may), may
    return ROLES[1:][may.index(True)] if True in may else NO_ROLE


def _found(
    clients: list[httpx.Client],
    asked: list[Route],
    values: dict[str, str],
    sent: dict[str, Any],
    refused: Callable[[httpx.Response], bool],
) -> dict[Route, str]:
    """Give the least role that each route does not refuse; those that change something are sent what is given."""
    found = {}
    for route in asked:
        more = {} if route.method == "GET" else sent
        answers = [client.request(route.method, route.address(values), **more) for client in clients]
        found[route] = _least([not refused(answer) for answer in answers])
    return found


@pytest.fixture(scope="module")
def browsers(door: Site) -> Iterator[list[httpx.Client]]:
    """Give the browser of one who has logged in, for each role."""
    opened = [anyone(door) for _ in ROLES[1:]]
    for client, role in zip(opened, ROLES[1:], strict=True):
        assert let_in(by_form(client, *new_person(door, role)))
        client.headers["X-CSRFToken"] = csrf_token(client, "/auth/userinfoeditview/form")
    yield opened
    for client in opened:
        client.close()


def test_each_route_of_the_api_is_for_whom_it_should(door: Site) -> None:
    """By its least role; all methods, those that change something with an empty body."""
    clients = [door.client(role.lower()) for role in ROLES[1:]]
    token = clients[-1].get("/api/v2/dags/orders/details").raise_for_status().json()["file_token"]
    asked = [
        route
        for route in routes(door)
        if route.path.startswith(("/api/v2/", "/ui/", "/reports/", "/auth/fab/"))
        and route.method not in {"HEAD", "OPTIONS"}
        and "logout" not in route.path
    ]
    answers = _found(
        clients,
        asked,
        NOTHING | {"file_token": token},
        {"json": {}},
        lambda answer: answer.status_code == httpx.codes.FORBIDDEN,
    )
    found = {" ".join(route): role for route, role in answers.items()}
    for client in clients:
        client.close()
    should = {name: next(role for pattern, role in LEAST.items() if re.match(pattern, name)) for name in found}

    assert len(found) > 150
    assert found.keys() > BY_BODY
    assert {name: role for name, role in found.items() if role != should[name] and name not in BY_BODY} == {}


def test_each_page_about_people_is_the_admins(door: Site, browsers: list[httpx.Client]) -> None:
    """But those of one's own account, whatever is sent to them."""
    asked = [
        route
        for route in routes(door)
        if re.match(r"/auth/(?!fab/|static/|login|token)", route.path)
        and "logout" not in route.path
        and route.method in {"GET", "POST"}
    ]
    found = _found(
        browsers,
        asked,
        NOTHING,
        {"data": {"action": "copyrole", "rowid": NOTHING["pk"]}},
        lambda answer: "/auth/login/" in answer.headers.get("location", ""),
    )

    def should(path: str) -> str:
        if re.fullmatch(f"{OWN}|{NO_ACTION}", path):
            return "Viewer"
        return "Admin" if re.fullmatch(ADMINS, path) else NO_ROLE

    assert len(found) > 50
    assert {route: role for route, role in found.items() if role != should(route.path)} == {}


def test_nobody_makes_oneself_more_by_the_form_about_oneself(door: Site, browsers: list[httpx.Client]) -> None:
    """It takes a name, and neither a role nor another person's number."""
    op = browsers[ROLES.index("Op") - 1]
    admin = door.client()
    number = {"id": 1, "pk": 1, "roles": [1], "username": "admin"}
    answer = op.post("/auth/userinfoeditview/form", data={"first_name": "Renamed", "last_name": "Person", **number})
    people = admin.get("/auth/fab/v1/users", params={"limit": 100}).json()["users"]
    renamed = [person for person in people if person["first_name"] == "Renamed"]
    admin.close()

    assert answer.is_redirect
    assert [[role["name"] for role in person["roles"]] for person in renamed] == [["Op"]]
    assert [person["username"] for person in renamed] != ["admin"]
