"""Runs Airflow's own web server by itself, with our plugins, pipelines of the tests' own, and a folder of reports."""

import os
import signal
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
import psycopg

from tests._engine import OURS
from tests._postgres import running_postgres

ROOT = Path(__file__).parents[2]
PASSWORDS = {
    "admin": "a-password",
    "viewer": "another-one",
    "narrow": "a-third-one",
    "user": "a-4th-one",
    "op": "a-5th-one",
}
# The accounts beside the admin: one of each role of Airflow's, and one who may read only one pipeline.
USERS = """
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from etl_airflow.init import prepare_users

prepare_users({passwords!r}["admin"])
with get_application_builder() as builder:
    manager = builder.sm
    narrow = manager.add_role("Narrow")
    for action, resource in (
        ("can_read", "DAG:flights"), ("can_read", "DAG Runs"), ("can_read", "Website"), ("can_read", "Plugins"),
        ("menu_access", "DAGs"),
    ):
        manager.add_permission_to_role(narrow, manager.create_permission(action, resource))
    for name, password in {passwords!r}.items():
        if name != "admin":
            role = manager.find_role(name.capitalize())
            manager.add_user(name, "A", name, f"{{name}}@localhost", role, password=password)
"""


class Site:
    """The web server, driven as programs drive it."""

    def __init__(self, address: str, reports: Path, environment: dict[str, str], log: Path) -> None:
        self.address = address
        self.reports = reports
        self.environment = environment
        self.log = log
        self._tokens: dict[str, str] = {}

    def client(self, user: str | None = "admin") -> httpx.Client:
        """Give a client that is logged in, or one that is not."""
        headers = {} if user is None else {"Authorization": f"Bearer {self._token(user)}"}
        return httpx.Client(base_url=self.address, timeout=60, headers=headers)

    def python(self, code: str, stdin: str = "", **values: str) -> str:
        """Run a program beside the server, with its configuration; give what it prints."""
        environment = self.environment | values
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=self.log.parent,
            capture_output=True,
            text=True,
            check=False,
            input=stdin,
        )
        assert done.returncode == 0, done.stderr[-5000:]
        return done.stdout

    def sql(self, statement: str, *values: object) -> None:
        """Change something in Airflow's database."""
        with psycopg.connect(self._database) as connection:
            connection.execute(statement, values)

    def ask(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - any value
        """Give the one value of a statement in Airflow's database."""
        with psycopg.connect(self._database) as connection:
            row = connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0]

    @property
    def _database(self) -> str:
        return self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")

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
def running(folder: Path, pipelines: Path, name: str = "reports", **settings: str) -> Iterator[Site]:
    """Prepare a database of its own, and serve with the platform's own configuration until the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "reports").mkdir()
    log = folder / "log"
    with running_postgres(f"{OURS}-{name}-site") as database, log.open("w") as output:
        environment = _environment(folder, pipelines, port, database) | settings
        said: dict[str, Any] = {"env": environment, "stdout": output, "stderr": subprocess.STDOUT, "cwd": folder}
        for command in (
            ["-m", "airflow", "db", "migrate"],
            ["-c", USERS.format(passwords=PASSWORDS)],
            ["-m", "airflow", "dags", "reserialize"],
        ):
            done = subprocess.run([sys.executable, *command], check=False, timeout=300, **said)
            assert done.returncode == 0, log.read_text()[-5000:]
        serve = ["-m", "airflow", "api-server", "--host", "127.0.0.1", "--proxy-headers"]
        server = subprocess.Popen([sys.executable, *serve], start_new_session=True, **said)
        try:
            site = Site(f"http://127.0.0.1:{port}", folder / "reports", environment, log)
            until = time.monotonic() + 300
            while not _answers(site):
                assert server.poll() is None, log.read_text()[-5000:]
                assert time.monotonic() < until, log.read_text()[-5000:]
                time.sleep(0.3)
            yield site
        finally:
            # With its workers, which wait two minutes for a connection that somebody keeps open.
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(30)


def _environment(folder: Path, pipelines: Path, port: int, database: str) -> dict[str, str]:
    address = database.removeprefix("postgresql:")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW_CONFIG": str(ROOT / "config" / "airflow" / "airflow.cfg"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2:{address}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg:{address}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": "A" * 43 + "=",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": "s" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__FAB__CONFIG_FILE": str(ROOT / "config" / "airflow" / "webserver_config.py"),
        "ETL_PIPELINES": str(pipelines),
        "ETL_REPORTS": str(folder / "reports"),
    }


def _answers(site: Site) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{site.address}/api/v2/monitor/health", timeout=10).is_success
    return False
