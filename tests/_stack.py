"""A whole stack of the tests' own, driven as a person drives it: Compose, the REST API, SQL."""

import csv
import io
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
PROJECT = "etl-test"
ENVIRONMENT = {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "ETL_TAG": "test",
    "AIRFLOW_PORT": "18080",
    "POSTGRES_PORT": "15433",
    "ETL_SUBNET": os.environ.get("ETL_SUBNET") or "10.213.17",
    "GUARD_USER": "0:0",
}
OVER = {"success", "failed"}
HALF_AN_HOUR = 1800


class Stack:
    """The running stack of a project, `etl-test` where nothing else is said."""

    def __init__(self, pipelines: Path, environment: Mapping[str, str] = ENVIRONMENT) -> None:
        self.pipelines = pipelines
        self.project, self.tag = environment["COMPOSE_PROJECT_NAME"], environment["ETL_TAG"]
        self.lineage = pipelines.parent / "lineage"
        shutil.copytree(ROOT / "config" / "lineage", self.lineage, dirs_exist_ok=True)
        folders = {"ETL_PIPELINES": str(pipelines), "ETL_LINEAGE": str(self.lineage)}
        self.environment = {**os.environ, **environment, **folders}
        self.api = httpx.Client(timeout=60, auth=self._signed)
        self._token, self._since = "", 0.0

    def compose(self, *arguments: str, check: bool = True, timeout: float = 900) -> str:
        """Run `docker compose`; give its standard output."""
        return self._run(["docker", "compose", *arguments], check=check, timeout=timeout)

    def docker(self, *arguments: str, check: bool = True, timeout: float = 120) -> str:
        """Run `docker`; give its standard output."""
        return self._run(["docker", *arguments], check=check, timeout=timeout)

    def script(self, *words: str, timeout: float = 600, stdin: str | None = None) -> str:
        """Run one of the scripts behind `make`, or another command; give its standard output."""
        return self._run([*words], timeout=timeout, stdin=stdin)

    def start(self) -> None:
        """Build, start, and wait until all is healthy; then log in."""
        self.compose("build", "--quiet", timeout=1800)
        self.compose("up", "--wait", "--wait-timeout", "300")
        self.log_in()

    def stop(self) -> None:
        """Remove the stack with its volumes."""
        self.docker("network", "disconnect", "--force", f"{self.project}_web", socket.gethostname(), check=False)
        stages = [container["id"] for container in self.stage_containers()]
        if stages:
            self.docker("rm", "--force", "--volumes", *stages)
        self.compose("down", "--volumes", "--timeout", "10")

    def log_in(self) -> None:
        """Get a token, as a program does; it is good for an hour."""
        self.api.base_url = httpx.URL(self._address())
        password = self.compose("exec", "-T", "airflow-apiserver", "cat", "/run/secrets/admin_password")
        person = {"username": "admin", "password": password.strip()}
        answer = self.api.post("/auth/token", json=person, auth=None)
        self._token, self._since = answer.raise_for_status().json()["access_token"], time.monotonic()

    def _signed(self, request: httpx.Request) -> httpx.Request:
        if time.monotonic() - self._since > HALF_AN_HOUR:
            self.log_in()
        request.headers.setdefault("Authorization", f"Bearer {self._token}")
        return request

    def _address(self) -> str:
        """Give the api-server's address: its published port, or its name where the tests run in a container."""
        if not self.docker("ps", "--quiet", "--filter", f"id={socket.gethostname()}", check=False).strip():
            return f"http://127.0.0.1:{self.environment['AIRFLOW_PORT']}"
        self.docker("network", "connect", f"{self.project}_web", socket.gethostname(), check=False)
        return "http://airflow-apiserver:8080"

    def sql(self, database: str, query: str, **variables: str) -> list[dict[str, str]]:
        """Run a query as the superuser; give the rows with each value as its text."""
        sets = [part for name, value in variables.items() for part in ("--set", f"{name}={value}")]
        psql = ["psql", "-X", "--username=postgres", f"--dbname={database}", "--csv", "--quiet", *sets]
        command = ["docker", "compose", "exec", "-T", "postgres", *psql, "--set=ON_ERROR_STOP=1"]
        output = self._run(command, stdin=query)
        return list(csv.DictReader(io.StringIO(output)))

    def one(self, database: str, query: str, **variables: str) -> dict[str, str]:
        """Run a query that gives one row."""
        (row,) = self.sql(database, query, **variables)
        return row

    def wait_for_dag(self, dag_id: str, seconds: float = 180) -> dict[str, Any]:
        """Wait until Airflow has read a pipeline's file, and switch it on."""
        until(lambda: self._is_current(dag_id), seconds)
        dag: dict[str, Any] = self._json(self.api.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}))
        return dag

    def _is_current(self, dag_id: str) -> bool:
        answer = self.api.get(f"/api/v2/dags/{dag_id}")
        return answer.status_code == httpx.codes.OK and not answer.json()["is_stale"]

    def page(self, dag_id: str) -> str:
        """Give a DAG's page, with its pipeline's whole text; nothing of a DAG that has none."""
        page: str | None = self._json(self.api.get(f"/api/v2/dags/{dag_id}/details"))["doc_md"]
        return page or ""

    def wait_for_code(self, dag_id: str, code: str) -> None:
        """Wait until Airflow knows a pipeline by a text that has this in it."""
        until(lambda: code in self.page(dag_id), 180)

    def trigger(self, dag_id: str, day: str | None = None) -> str:
        """Start a run about a day; give its id."""
        now = datetime.now(UTC).isoformat()
        body = {"logical_date": now, "conf": {"day": day} if day else {}}
        run_id: str = self._json(self.api.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body))["dag_run_id"]
        return run_id

    def run(self, dag_id: str, day: str | None = None, seconds: float = 180) -> str:
        """Run a pipeline to its success; give the run's id."""
        run_id = self.trigger(dag_id, day)
        state = self.wait_for_run(dag_id, run_id, seconds)
        assert state == "success", "\n".join(self.messages(dag_id, run_id))
        return run_id

    def wait_for_run(self, dag_id: str, run_id: str, seconds: float = 180) -> str:
        """Wait until a run is over; give its state."""
        until(lambda: self.run_state(dag_id, run_id) in OVER, seconds)
        return self.run_state(dag_id, run_id)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Give a run's state."""
        state: str = self._json(self.api.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))["state"]
        return state

    def runs_now(self, dag_id: str) -> bool:
        """Tell whether a run of a pipeline is not over."""
        answer = self._json(self.api.get(f"/api/v2/dags/{dag_id}/dagRuns", params={"state": ["queued", "running"]}))
        return bool(answer["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Give a run's task instances by their task's id."""
        answer = self._json(self.api.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"))
        return {task["task_id"]: task for task in answer["task_instances"]}

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> list[dict[str, Any]]:
        """Give the lines of a try's log, as the web UI gets them."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        answer = self._json(self.api.get(path, params={"full_content": True}, headers={"Accept": "application/json"}))
        lines: list[dict[str, Any]] = answer["content"]
        return lines

    def text(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """Give a try's log as one text."""
        return "\n".join(str(line) for line in self.log(dag_id, run_id, task_id, try_number))

    def messages(self, dag_id: str, run_id: str) -> list[str]:
        """Give what the failed tasks of a run said last."""
        failed = {name: task for name, task in self.tasks(dag_id, run_id).items() if task["state"] == "failed"}
        return [f"{name}: {self.text(dag_id, run_id, name, task['try_number'])}" for name, task in failed.items()]

    def result(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """Give what a task left in XCom."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        value: dict[str, Any] = self._json(self.api.get(path, params={"deserialize": True}))["value"]
        return value

    def stage_containers(self, run_id: str | None = None) -> list[dict[str, str]]:
        """Give the stages' containers, also those that have ended: id, state, stage."""
        form = '{{.ID}},{{.State}},{{.Label "etl.stage"}}'
        filters = [
            "--filter",
            f"name=^{self.project}-",
            "--filter",
            f"label=etl.run_id{'=' + run_id if run_id else ''}",
        ]
        output = self.docker("ps", "--all", "--no-trunc", *filters, "--format", form)
        return [dict(zip(("id", "state", "stage"), line.split(","), strict=True)) for line in output.splitlines()]

    @contextmanager
    def pipeline(self, name: str, files: Mapping[str, str]) -> Iterator[str]:
        """Add a pipeline, wait until Airflow knows it, and take it away again."""
        # The YAML last: without its twin it would be a broken pipeline for a moment, and a run of it half of one.
        for file, text in sorted(files.items(), key=lambda file: file[0].endswith(".yaml")):
            (self.pipelines / file).write_text(text)
        try:
            self.wait_for_dag(name)
            # The name may have been another pipeline's a moment ago, which Airflow has not forgotten yet.
            self.wait_for_code(name, files.get(f"{name}.yaml", "").strip())
            yield name
        finally:
            for file in files:
                (self.pipelines / file).unlink(missing_ok=True)

    def _json(self, answer: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
        assert answer.is_success, f"{answer.status_code} to {answer.request.url}: {answer.text}"
        return answer.json()

    def _run(self, command: list[str], *, check: bool = True, timeout: float = 120, stdin: str | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout


def until(condition: Callable[[], bool], seconds: float, every: float = 0.5) -> float:
    """Wait for a condition; give the seconds that it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(every)
    return time.monotonic() - started
