"""Each role can do what docs/users.md says, and nothing more: every cell of its table, tried over REST."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest

from tests.etl_airflow.conftest import SPARE
from tests.etl_airflow.people import anyone
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

ROLES = ["nobody", "Viewer", "User", "Op", "Admin"]
REFUSED = {"nobody": {httpx.codes.UNAUTHORIZED}}
DAG = "/api/v2/dags/orders"
_numbers = itertools.count(secrets.randbelow(20_000))


class World:
    """What an action is done to, made anew by the admin where the action uses it up."""

    def __init__(self, admin: httpx.Client, role: str) -> None:
        self._admin = admin
        self.role = role

    def run(self) -> str:
        """Give the address of a run."""
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=next(_numbers))
        answer = self._admin.post(f"{DAG}/dagRuns", json={"logical_date": start.isoformat()})
        return f"{DAG}/dagRuns/{answer.raise_for_status().json()['dag_run_id']}"

    def made(self, path: str, key: str, **body: object) -> str:
        """Make a thing; give its address."""
        name = _name()
        self._admin.post(path, json={key: name, **body}).raise_for_status()
        return f"{path}/{name}"

    def variable(self) -> str:
        """Give the address of a variable."""
        return self.made("/api/v2/variables", "key", value="1")

    def connection(self) -> str:
        """Give the address of a connection."""
        return self.made("/api/v2/connections", "connection_id", conn_type="http")

    def pool(self) -> str:
        """Give the address of a pool."""
        return self.made("/api/v2/pools", "name", slots=1, include_deferred=False)

    def user(self) -> str:
        """Give the address of a user."""
        name = _name()
        self._admin.post("/auth/fab/v1/users", json=_user(name)).raise_for_status()
        return f"/auth/fab/v1/users/{name}"

    def of_role(self) -> str:
        """Give the address of a role."""
        return self.made("/auth/fab/v1/roles", "name", actions=[])

    def xcom(self) -> str:
        """Give the address of what a task handed over."""
        entries = f"{self.run()}/taskInstances/extract/xcomEntries"
        self._admin.post(entries, json={"key": "k", "value": 1}).raise_for_status()
        return f"{entries}/k"

    @contextmanager
    def backfill(self) -> Iterator[str]:
        """Give the address of a backfill that has not begun; a pipeline has one at a time."""
        body = _range_of_days()
        at = f"/api/v2/backfills/{self._admin.post('/api/v2/backfills', json=body).raise_for_status().json()['id']}"
        yield at
        self._admin.put(f"{at}/cancel")

    def asset(self) -> int:
        """Give the id of an asset: the table of `orders`."""
        number: int = self._admin.get("/api/v2/assets").raise_for_status().json()["assets"][0]["id"]
        return number


class Action(NamedTuple):
    """Something to do, and the least role that may."""

    least: str
    does: str
    do: Callable[[httpx.Client, World], httpx.Response]


def _name() -> str:
    return f"t_{secrets.token_hex(4)}"


def _user(name: str) -> dict[str, object]:
    person = {"email": f"{name}@example.org", "first_name": "A", "last_name": "B", "password": "a-long-password"}
    return {"username": name, "roles": [{"name": "Viewer"}], **person}


def _get(path: str) -> Callable[[httpx.Client, World], httpx.Response]:
    return lambda client, _: client.get(path)


def _trigger(client: httpx.Client, _: World) -> httpx.Response:
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=next(_numbers))
    return client.post(f"{DAG}/dagRuns", json={"logical_date": start.isoformat()})


def _clear(client: httpx.Client, world: World) -> httpx.Response:
    run = world.run().rpartition("/")[2]
    body = {"dry_run": False, "dag_run_id": run, "only_failed": False}
    return client.post(f"{DAG}/clearTaskInstances", json=body)


def _range_of_days() -> dict[str, object]:
    start = datetime(2024, 1, 1, tzinfo=UTC) - timedelta(days=10 * next(_numbers))
    return {"dag_id": "orders", "from_date": start.isoformat(), "to_date": (start + timedelta(days=1)).isoformat()}


def _backfill(client: httpx.Client, _: World) -> httpx.Response:
    answer = client.post("/api/v2/backfills", json=_range_of_days())
    if answer.is_success:  # one at a time
        client.put(f"/api/v2/backfills/{answer.json()['id']}/cancel").raise_for_status()
    return answer


def _to_a_backfill(*steps: str) -> Callable[[httpx.Client, World], httpx.Response]:
    def take(client: httpx.Client, world: World) -> httpx.Response:
        with world.backfill() as at:
            return [client.put(f"{at}/{step}") for step in steps][-1]

    return take


def _many(action: str, *entities: dict[str, object]) -> dict[str, object]:
    """Write the body of a request about several things at once."""
    return {"actions": [{"action": action, "entities": entities}]}


def _clear_many(client: httpx.Client, world: World) -> httpx.Response:
    runs = [{"dag_run_id": world.run().rpartition("/")[2]} for _ in range(2)]
    return client.post(f"{DAG}/clearDagRuns", json={"dry_run": False, "dag_runs": runs})


def _mark_many(client: httpx.Client, world: World) -> httpx.Response:
    runs = [{"dag_run_id": world.run().rpartition("/")[2], "state": "failed"} for _ in range(2)]
    return client.patch(f"{DAG}/dagRuns", json=_many("update", *runs))


ACTIONS = [
    Action("Viewer", "see pipelines", _get("/api/v2/dags")),
    Action("Viewer", "see pipelines", _get(f"{DAG}/details")),
    Action("Viewer", "see pipelines", _get("/ui/dags")),
    Action("Viewer", "see pipelines", _get("/api/v2/dagSources/orders")),
    Action("Viewer", "see pipelines", _get("/api/v2/assets")),
    Action("Viewer", "see pipelines", _get("/api/v2/importErrors")),
    Action("Viewer", "see runs and logs", _get(f"{DAG}/dagRuns")),
    Action("Viewer", "see runs and logs", lambda client, world: client.get(f"{world.run()}/taskInstances")),
    Action(
        "Viewer", "see runs and logs", lambda client, world: client.get(f"{world.run()}/taskInstances/extract/logs/0")
    ),
    Action("Viewer", "see runs and logs", _get(f"{DAG}/dagRuns/~/taskInstances/~/xcomEntries")),
    Action("Viewer", "see runs and logs", _get("/api/v2/backfills?dag_id=orders")),
    Action("Viewer", "see reports", _get("/reports/")),
    Action("Viewer", "see reports", _get("/reports/dags/orders")),
    Action(
        "Viewer",
        "see reports",
        lambda client, world: client.get(f"/reports{world.run()[7:].replace('dagRuns', 'runs')}"),
    ),
    Action("Viewer", "see reports", _get("/api/v2/plugins")),
    Action("Viewer", "see pools and services", _get("/api/v2/pools")),
    Action("Viewer", "see pools and services", _get("/api/v2/jobs")),
    Action("User", "start runs", _trigger),
    Action(
        "User", "start runs", lambda client, world: client.post(f"/api/v2/assets/{world.asset()}/materialize", json={})
    ),
    Action("User", "clear tasks", _clear),
    Action("User", "clear tasks", lambda client, world: client.post(f"{world.run()}/clear", json={"dry_run": False})),
    Action("User", "clear tasks", _clear_many),
    Action(
        "User",
        "mark as failed or done",
        lambda client, world: client.patch(f"{world.run()}/taskInstances/extract", json={"new_state": "failed"}),
    ),
    Action("User", "mark as failed or done", lambda client, world: client.patch(world.run(), json={"state": "failed"})),
    Action("User", "mark as failed or done", _mark_many),
    Action("User", "switch pipelines on and off", lambda client, _: client.patch(DAG, json={"is_paused": False})),
    Action("User", "delete runs", lambda client, world: client.delete(world.run())),
    Action(
        "User", "delete a pipeline's history", lambda client, world: client.delete(f"/api/v2/dags/{SPARE[world.role]}")
    ),
    Action(
        "User",
        "say that a table has changed",
        lambda client, world: client.post("/api/v2/assets/events", json={"asset_id": world.asset()}),
    ),
    Action("User", "backfill", _backfill),
    Action("User", "backfill", _to_a_backfill("pause")),
    Action("User", "backfill", _to_a_backfill("pause", "unpause")),
    Action("User", "backfill", _to_a_backfill("cancel")),
    Action("Op", "see variables", _get("/api/v2/variables")),
    Action("Op", "see variables", lambda client, world: client.get(world.variable())),
    Action(
        "Op", "change variables", lambda client, _: client.post("/api/v2/variables", json={"key": _name(), "value": 1})
    ),
    Action(
        "Op",
        "change variables",
        lambda client, world: (at := world.variable()) and client.patch(at, json={"key": at[18:], "value": 2}),
    ),
    Action("Op", "change variables", lambda client, world: client.delete(world.variable())),
    Action(
        "Op",
        "change variables",
        lambda client, _: client.patch("/api/v2/variables", json=_many("create", {"key": _name(), "value": 1})),
    ),
    Action("Op", "see connections", _get("/api/v2/connections")),
    Action("Op", "see connections", lambda client, world: client.get(world.connection())),
    Action(
        "Op",
        "change connections",
        lambda client, _: client.post("/api/v2/connections", json={"connection_id": _name(), "conn_type": "http"}),
    ),
    Action(
        "Op",
        "change connections",
        lambda client, world: (
            (at := world.connection()) and client.patch(at, json={"connection_id": at[20:], "conn_type": "ftp"})
        ),
    ),
    Action("Op", "change connections", lambda client, world: client.delete(world.connection())),
    Action(
        "Op",
        "change connections",
        lambda client, _: client.patch(
            "/api/v2/connections", json=_many("create", {"connection_id": _name(), "conn_type": "http"})
        ),
    ),
    Action(
        "Op",
        "change pools",
        lambda client, _: client.post("/api/v2/pools", json={"name": _name(), "slots": 1, "include_deferred": False}),
    ),
    Action("Op", "change pools", lambda client, world: client.delete(world.pool())),
    Action(
        "Op",
        "change pools",
        lambda client, world: (
            (at := world.pool()) and client.patch(at, json={"pool": at[14:], "slots": 2, "include_deferred": False})
        ),
    ),
    Action(
        "Op",
        "change pools",
        lambda client, _: client.patch(
            "/api/v2/pools", json=_many("create", {"name": _name(), "slots": 1, "include_deferred": False})
        ),
    ),
    Action(
        "Op",
        "change what tasks hand over",
        lambda client, world: client.post(
            f"{world.run()}/taskInstances/extract/xcomEntries", json={"key": "k", "value": 1}
        ),
    ),
    Action("Op", "change what tasks hand over", lambda client, world: client.patch(world.xcom(), json={"value": 2})),
    Action("Op", "change what tasks hand over", lambda client, world: client.delete(world.xcom())),
    Action("Op", "see what is installed", _get("/api/v2/providers")),
    Action("Admin", "read the audit log", _get("/api/v2/eventLogs")),
    Action("Admin", "see users and roles", _get("/auth/fab/v1/users")),
    Action("Admin", "see users and roles", _get("/auth/fab/v1/users/admin")),
    Action("Admin", "see users and roles", _get("/auth/fab/v1/roles")),
    Action("Admin", "see users and roles", _get("/auth/fab/v1/permissions")),
    Action("Admin", "change users and roles", lambda client, _: client.post("/auth/fab/v1/users", json=_user(_name()))),
    Action(
        "Admin",
        "change users and roles",
        lambda client, world: client.patch(world.user(), json={"roles": [{"name": "Admin"}]}),
    ),
    Action(
        "Admin", "change users and roles", lambda client, world: client.patch(world.user(), json={"password": "b" * 12})
    ),
    Action("Admin", "change users and roles", lambda client, world: client.delete(world.user())),
    Action(
        "Admin",
        "change users and roles",
        lambda client, _: client.post("/auth/fab/v1/roles", json={"name": _name(), "actions": []}),
    ),
    Action("Admin", "change users and roles", lambda client, world: client.delete(world.of_role())),
    Action("no role", "see Airflow's configuration", _get("/api/v2/config")),
    Action("no role", "see Airflow's configuration", _get("/api/v2/config/section/core/option/fernet_key")),
    Action(
        "no role",
        "have Airflow try a connection",
        lambda client, _: client.post("/api/v2/connections/test", json={"connection_id": "x", "conn_type": "http"}),
    ),
    Action(
        "no role",
        "have Airflow try a connection",
        lambda client, _: client.post(
            "/api/v2/connections/enqueue-test", json={"connection_id": "x", "conn_type": "http"}
        ),
    ),
]


@pytest.fixture(scope="module")
def clients(door: Site) -> Iterator[dict[str, httpx.Client]]:
    """Give a client of each role."""
    users = {"nobody": None} | {role: role.lower() for role in ROLES[1:]}
    opened = {role: door.client(user) for role, user in users.items()}
    yield opened
    for client in opened.values():
        client.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.does}-{ACTIONS.index(action)}")
def test_a_role_can_do_this_or_not(clients: dict[str, httpx.Client], action: Action, role: str) -> None:
    """What it may succeeds, and what it may not is refused for that reason."""
    answer = action.do(clients[role], World(clients["Admin"], role))

    if action.least in ROLES and ROLES.index(role) >= ROLES.index(action.least):
        assert answer.is_success, answer.text
    elif role == "nobody":
        assert answer.status_code == httpx.codes.UNAUTHORIZED, answer.text
    else:
        assert answer.status_code == httpx.codes.FORBIDDEN, answer.text


def test_no_secret_is_shown_to_who_may_see_it_is_there(clients: dict[str, httpx.Client]) -> None:
    """A connection's password stays in the database, whoever asks."""
    name = _name()
    body = {"connection_id": name, "conn_type": "http", "login": "me", "password": "a-very-secret-word"}
    body["extra"] = '{"token": "a-very-secret-word"}'
    clients["Admin"].post("/api/v2/connections", json=body).raise_for_status()

    for role in ("Op", "Admin"):
        assert "a-very-secret-word" not in clients[role].get(f"/api/v2/connections/{name}").raise_for_status().text


def test_nobody_makes_oneself_more(door: Site) -> None:
    """An Op is no Admin by the API for users; its pages are tried with all others."""
    with door.client("op") as op:
        answer = op.patch("/auth/fab/v1/users/op", json={"roles": [{"name": "Admin"}]})

    assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_person_without_a_role_sees_nothing(door: Site) -> None:
    """The role Public has no permission, and nobody gets it without a login."""
    with anyone(door) as public:
        assert public.get("/api/v2/dags").status_code == httpx.codes.UNAUTHORIZED
    with door.client() as admin:
        assert admin.get("/auth/fab/v1/roles/Public").json()["actions"] == []
