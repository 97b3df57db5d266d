"""`make run`: whether a pipeline that is switched off is switched on, and which run is followed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from etl_platform._airflow_api import AirflowApi
from etl_platform._follow import follow

NOW = datetime.now(UTC)
DUE, NOT_DUE = str(NOW - timedelta(hours=1)), str(NOW + timedelta(hours=1))


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be the file of `orders`, and no other."""
    (tmp_path / "orders.yaml").touch()
    monkeypatch.setenv("ETL_PIPELINES", str(tmp_path))


class Airflow:
    """Answers like Airflow's REST API about `orders`, whose runs succeed at once and have no stages.

    Attributes:
        paused: whether it is switched off.
        due: when its schedule wants the next run.
        runs: the ids of its runs, first of all those that there were before.
        gone: whether Airflow has not found the file the last time.
    """

    def __init__(self, *runs: str, paused: bool, due: str | None) -> None:
        self.paused, self.due, self.runs = paused, due, list(runs)
        self.gone = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a question, or do what is asked."""
        path = request.url.path.removeprefix("/api/v2/dags/orders")
        if request.method == "PATCH":
            self.paused = json.loads(request.content)["is_paused"]
            if self.due == DUE:
                self.runs.append("scheduled")
            return httpx.Response(200, json={})
        if request.method == "POST":
            self.runs.append("manual")
            return httpx.Response(200, json={"dag_run_id": "manual"})
        return httpx.Response(200, json=self._told(path, request.url.params))

    def _told(self, path: str, query: httpx.QueryParams) -> dict[str, Any]:
        match path.split("/")[1:]:
            case []:
                return {"is_stale": self.gone, "is_paused": self.paused, "tags": [], "next_dagrun_run_after": self.due}
            case ["dagRuns"]:
                wanted = [run for run in self.runs if query.get("run_type") in {None, run}]
                return {"dag_runs": [{"dag_run_id": run} for run in wanted]}
            case ["dagRuns", _]:
                return {"state": "success"}
        return {"task_instances": []}


def _followed(airflow: Airflow, name: str = "orders", **conf: str) -> tuple[int, str]:
    """Run the pipeline; give the exit code, and all that was said."""
    said: list[str] = []
    with httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(airflow)) as client:
        code = follow(name, conf, 0, said.append, lambda: AirflowApi(client))
    return code, "\n".join(said)


def test_what_waits_for_its_first_run_is_switched_on() -> None:
    """The run that its schedule wants is the one that is followed, not a second one beside it."""
    airflow = Airflow(paused=True, due=DUE)

    code, said = _followed(airflow)

    assert code == 0
    assert said.splitlines()[:2] == [
        "orders: switched on, since this is its first run; from now on it runs as its file says",
        "orders: following the scheduled run that is under way",
    ]
    assert "/dags/orders/runs/scheduled" in said
    assert (airflow.paused, airflow.runs) == (False, ["scheduled"])


@pytest.mark.parametrize(
    ("due", "conf", "runs"),
    [
        (NOT_DUE, {}, ["manual"]),
        (None, {}, ["manual"]),
        (DUE, {"day": "2026-01-31"}, ["scheduled", "manual"]),
    ],
    ids=["not due", "no schedule", "a day of its own"],
)
def test_what_the_schedule_would_not_run_is_run_by_hand(due: str | None, conf: dict[str, str], runs: list[str]) -> None:
    """Nobody waits for a run that does not come."""
    airflow = Airflow(paused=True, due=due)

    code, said = _followed(airflow, **conf)

    assert code == 0
    assert "/dags/orders/runs/manual" in said
    assert (airflow.paused, airflow.runs) == (False, runs)


def test_what_somebody_switched_off_stays_so() -> None:
    """It had a run: there was a reason, and a switch is a click away."""
    airflow = Airflow("earlier", paused=True, due=DUE)

    code, said = _followed(airflow)

    assert code == 1
    assert said == "'orders' is paused, so a run would wait. Switch it on: http://localhost:8080/dags/orders"
    assert (airflow.paused, airflow.runs) == (True, ["earlier"])


def test_without_a_file_nothing_runs_and_nobody_waits() -> None:
    """Airflow may know a file that is gone for half a minute: a run of it would never end."""
    airflow = Airflow("earlier", paused=False, due=NOT_DUE)

    code, said = _followed(airflow, "order")

    assert code == 1
    assert said == "There is no config/pipelines/order.yaml; did you mean 'orders'?"
    assert airflow.runs == ["earlier"]


def test_a_file_that_airflow_does_not_read_is_told() -> None:
    """It is there, so another place is to be looked at."""
    airflow = Airflow("earlier", paused=False, due=NOT_DUE)
    airflow.gone = True

    code, said = _followed(airflow)

    assert code == 1
    assert "Airflow knows no pipeline 'orders', though there is a config/pipelines/orders.yaml" in said
    assert airflow.runs == ["earlier"]
