"""Runs Airflow's own web server by itself, with our plugins, pipelines of the tests' own, and a folder of reports."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PASSWORDS = {"admin": "a-password", "viewer": "another-one", "narrow": "a-third-one"}
# The accounts beside the admin: one may read everything, the other only one pipeline.
USERS = """
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from etl_airflow.init import prepare_users

prepare_users({admin!r})
with get_application_builder() as builder:
    manager = builder.sm
    narrow = manager.add_role("Narrow")
    for action, resource in (
        ("can_read", "DAG:flights"), ("can_read", "DAG Runs"), ("can_read", "Website"), ("can_read", "Plugins"),
        ("menu_access", "DAGs"),
    ):
        manager.add_permission_to_role(narrow, manager.create_permission(action, resource))
    manager.add_user("viewer", "A", "Viewer", "v@localhost", manager.find_role("Viewer"), password={viewer!r})
    manager.add_user("narrow", "A", "Narrow", "n@localhost", narrow, password={narrow!r})
"""


class Site:
    """The web server, driven as programs drive it."""

    def __init__(self, address: str, reports: Path) -> None:
        self.address = address
        self.reports = reports
        self._tokens: dict[str, str] = {}

    def client(self, user: str | None = "admin") -> httpx.Client:
        """Give a client that is logged in, or one that is not."""
        headers = {} if user is None else {"Authorization": f"Bearer {self._token(user)}"}
        return httpx.Client(base_url=self.address, timeout=60, headers=headers)

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            credentials = {"username": user, "password": PASSWORDS[user]}
            answer = _json(httpx.post(f"{self.address}/auth/token", json=credentials, timeout=60))
            self._tokens[user] = answer["access_token"]
        return self._tokens[user]

    def run(self, dag_id: str, state: str, *, failed_at: str | None = None) -> str:
        """Make a run that came to this state; give its id."""
        with self.client() as api:
            body: dict[str, Any] = {"logical_date": datetime.now(UTC).isoformat(), "conf": {}}
            run_id: str = _json(api.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body))["dag_run_id"]
            run = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
            if failed_at is not None:
                _json(api.patch(f"{run}/taskInstances/{failed_at}", json={"new_state": "failed"}))
            if state == "success":
                for name in _json(api.get(f"{run}/taskInstances"))["task_instances"]:
                    _json(api.patch(f"{run}/taskInstances/{name['task_id']}", json={"new_state": "success"}))
            if state != "queued":
                _json(api.patch(run, json={"state": state}))
        return run_id


def _json(answer: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    assert answer.is_success, f"{answer.status_code} to {answer.request.url}: {answer.text}"
    return answer.json()


@contextmanager
def running(folder: Path, pipelines: Path) -> Iterator[Site]:
    """Prepare a database of its own, and serve until the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reports = folder / "reports"
    reports.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "s" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
        "AIRFLOW__FAB__CONFIG_FILE": str(ROOT / "config" / "airflow" / "webserver_config.py"),
        "ETL_PIPELINES": str(pipelines),
        "ETL_REPORTS": str(reports),
    }
    log = folder / "log"
    with log.open("w") as output:
        said: dict[str, Any] = {"env": environment, "stdout": output, "stderr": subprocess.STDOUT, "cwd": folder}
        for command in (
            ["-m", "airflow", "db", "migrate"],
            ["-c", USERS.format(**PASSWORDS)],
            ["-m", "airflow", "dags", "reserialize"],
        ):
            done = subprocess.run([sys.executable, *command], check=False, timeout=300, **said)
            assert done.returncode == 0, log.read_text()[-5000:]
        server = subprocess.Popen([sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1"], **said)
        try:
            site = Site(f"http://127.0.0.1:{port}", reports)
            until = time.monotonic() + 120
            while not _answers(site):
                assert server.poll() is None, log.read_text()[-5000:]
                assert time.monotonic() < until, log.read_text()[-5000:]
                time.sleep(0.3)
            yield site
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(site: Site) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{site.address}/api/v2/monitor/health", timeout=10).is_success
    return False
