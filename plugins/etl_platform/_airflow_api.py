"""Speaks to Airflow's REST API as the user admin; runs inside the api-server's container."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

SERVER = "http://localhost:8080"
PASSWORD = Path("/run/secrets/admin_password")


class AirflowApi:
    """The few calls that running and following a pipeline takes."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def login(cls, server: str = SERVER, password: str | None = None) -> Self:
        """Log in with the generated password."""
        client = httpx.Client(base_url=server, timeout=30)
        credentials = {"username": "admin", "password": password or PASSWORD.read_text().strip()}
        token = client.post("/auth/token", json=credentials).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return cls(client)

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Give a DAG, or nothing while Airflow does not know it."""
        answer = self._client.get(f"/api/v2/dags/{dag_id}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.raise_for_status().json()

    def switch_on(self, dag_id: str) -> None:
        """Let a DAG run by its schedule, as the switch in the web UI does."""
        self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()

    def has_run(self, dag_id: str) -> bool:
        """Tell whether a DAG has a run, be it over or not."""
        return bool(self._get(f"/api/v2/dags/{dag_id}/dagRuns", {"limit": 1})["dag_runs"])

    def active_run(self, dag_id: str) -> dict[str, Any] | None:
        """Give the run that the schedule has just started, if there is one."""
        query = {"state": ["queued", "running"], "run_type": "scheduled", "order_by": "-run_after", "limit": 1}
        runs = self._get(f"/api/v2/dags/{dag_id}/dagRuns", query)["dag_runs"]
        return runs[0] if runs else None

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> dict[str, Any]:
        """Start a run, as the button in the web UI does."""
        body = {"logical_date": datetime.now(UTC).isoformat(), "conf": conf}
        run: dict[str, Any] = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).raise_for_status().json()
        return run

    def clear(self, dag_id: str, run_id: str, task_ids: list[str]) -> None:
        """Let a run do these tasks once more, with the pipeline as it is now."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": task_ids,
            "only_failed": False,
            "run_on_latest_version": True,
        }
        self._client.post(f"/api/v2/dags/{dag_id}/clearTaskInstances", json=body).raise_for_status()

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Give a run with its state."""
        return self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")

    def find_run(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        """Give a run, or nothing where Airflow does not know it any more."""
        answer = self._client.get(f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.raise_for_status().json()

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Give the task instances of a run by their task's id."""
        tasks = self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in tasks}

    def result(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """Give what a task left in XCom."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        value: dict[str, Any] = self._get(path, {"deserialize": True})["value"]
        return value

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[dict[str, Any]]:
        """Give the lines of a try's log."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        lines: list[dict[str, Any]] = self._get(path, {"full_content": True})["content"]
        return lines

    def _get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        value: dict[str, Any] = self._client.get(path, params=query, headers=headers).raise_for_status().json()
        return value
