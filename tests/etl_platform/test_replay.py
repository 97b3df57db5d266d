"""Replaying: which runs do their work once more, from where, and in which order."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.api_fastapi.core_api.datamodels.task_instances import ClearTaskInstancesBody

from etl_contract import Outcome, StageResult, Watermark
from etl_platform._airflow_api import AirflowApi
from etl_platform._replay import replay

STAGES = ("extract", "transform", "load")


class Airflow:
    """Answers like Airflow's REST API about runs of `orders`; a cleared run is over at once.

    Attributes:
        runs: the state of each run.
        remembering: the runs whose extract remembers what it gave.
        ends: the state that a cleared run ends with, where it is not success.
        cleared: each run that was cleared, with its tasks.
    """

    def __init__(self, *runs: str) -> None:
        self.runs = dict.fromkeys(runs, "success")
        self.remembering: set[str] = set()
        self.ends: dict[str, str] = {}
        self.cleared: list[tuple[str, list[str]]] = []

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Answer a question; None is 404."""
        if path == "":
            return {"is_stale": False, "is_paused": False, "tags": []}
        run_id, _, rest = path.removeprefix("/dagRuns/").partition("/")
        if run_id not in self.runs:
            return None
        if rest == "":
            return {"state": self.runs[run_id]}
        if rest == "taskInstances":
            state = {"state": self.runs[run_id], "try_number": 1, "duration": 1.0}
            return {"task_instances": [{"task_id": name, **state} for name in STAGES]}
        if rest.endswith("/xcomEntries/return_value"):
            marks = (Watermark(source="orders", field="id", value="7"),) if run_id in self.remembering else ()
            return {"value": StageResult(outcome=Outcome.done, watermarks=marks).model_dump(mode="json")}
        return {"content": []}

    def clear(self, body: dict[str, Any]) -> None:
        """Clear a run's tasks, if the request is one that Airflow takes."""
        wanted = ClearTaskInstancesBody.model_validate(body)
        assert (wanted.dry_run, wanted.only_failed, wanted.run_on_latest_version) == (False, False, True)
        assert wanted.dag_run_id
        self.cleared.append((wanted.dag_run_id, [str(name) for name in wanted.task_ids or ()]))
        self.runs[wanted.dag_run_id] = self.ends.get(wanted.dag_run_id, "success")


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    """Give an Airflow that knows three runs, and the file of the pipeline."""
    (tmp_path / "orders.yaml").touch()
    monkeypatch.setenv("ETL_PIPELINES", str(tmp_path))
    return Airflow("monday", "tuesday", "wednesday")


@pytest.fixture
def api(airflow: Airflow) -> Iterator[AirflowApi]:
    """Serve it on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(airflow.get(httpx.URL(self.path).path.removeprefix("/api/v2/dags/orders")))

        def do_POST(self) -> None:
            assert self.path == "/api/v2/dags/orders/clearTaskInstances"
            airflow.clear(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer({"task_instances": []})

        def _answer(self, value: Any) -> None:  # noqa: ANN401 - JSON
            self.send_response(404 if value is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield AirflowApi(client)
        server.shutdown()


def replayed(
    api: AirflowApi, *quarantined: str, runs: tuple[str, ...] = ("monday", "tuesday", "wednesday")
) -> tuple[int, str]:
    """Replay, and give the exit code with what was said."""
    said: list[str] = []
    code = replay("orders", runs, set(quarantined), said.append, lambda: api)
    return code, "\n".join(said)


def test_only_runs_that_set_rows_aside_are_replayed(airflow: Airflow, api: AirflowApi) -> None:
    """Each reads its interval again, in the order of the intervals."""
    code, said = replayed(api, "wednesday", "monday")

    assert code == 0
    assert airflow.cleared == [("monday", list(STAGES)), ("wednesday", list(STAGES))]
    assert "orders: replaying monday from extract" in said


def test_where_a_source_remembers_every_later_run_follows(airflow: Airflow, api: AirflowApi) -> None:
    """The rows that were read then are treated anew, and newer ones meet them in their order."""
    airflow.remembering = {"monday", "tuesday", "wednesday"}

    code, _ = replayed(api, "tuesday")

    assert code == 0
    assert airflow.cleared == [("tuesday", ["transform", "load"]), ("wednesday", ["transform", "load"])]


def test_a_run_that_fails_ends_the_replay(airflow: Airflow, api: AirflowApi) -> None:
    """What comes after it stays as it is, in quarantine too."""
    airflow.ends = {"monday": "failed"}

    code, said = replayed(api, "monday", "tuesday")

    assert code == 1
    assert [run for run, _ in airflow.cleared] == ["monday"]
    assert "failed" in said


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("running", "orders: monday is under way. Replay it when it is over: "),
        (None, "orders: Airflow has forgotten the run monday; load its interval with: make run PIPELINE=orders"),
    ],
)
def test_a_run_that_cannot_be_replayed_is_told(airflow: Airflow, api: AirflowApi, state: str | None, told: str) -> None:
    """One that is under way is left alone, and of one that is gone the way out is told."""
    if state is None:
        del airflow.runs["monday"]
    else:
        airflow.runs["monday"] = state

    code, said = replayed(api, "monday")

    assert code == 1
    assert said.startswith(told)
    assert airflow.cleared == []
