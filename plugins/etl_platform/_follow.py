"""Runs a pipeline and shows its stages as they go."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from etl_contract import StageResult
from etl_platform._airflow_api import AirflowApi
from etl_platform._problems import guess
from etl_platform._run_path import run_path
from etl_platform._settings import Settings

POLL_SECONDS = 1
SCHEDULED_SECONDS = 30  # until the scheduler starts the run that is due
SIGN_OF_LIFE_SECONDS = 20
OVER = {"success", "failed", "skipped", "upstream_failed", "removed"}


def follow(
    pipeline: str,
    conf: dict[str, Any],
    wait_for_dag: int,
    say: Callable[[str], None] | None = None,
    login: Callable[[], AirflowApi] = AirflowApi.login,
) -> int:
    """Run a pipeline to its end; give 0 if it succeeded.

    A run of the schedule that is under way is followed instead of starting a second one beside it. A pipeline that
    waits for its first run is switched on by it; one that somebody has paused stays so.

    Args:
        pipeline: its name.
        conf: what is asked of the run, as in the trigger form; nothing for the last complete interval.
        wait_for_dag: for how many seconds Airflow may not have read the file yet.
        say: takes each line; they are printed if nothing is said.
        login: opens Airflow's REST API.
    """
    say = say or (lambda line: print(line, flush=True))
    try:
        api = login()
        if complaint := wait_for_dag_of(api, pipeline, wait_for_dag):
            say(complaint)
            return 1
        _switch_on(api, pipeline, waits=not conf, say=say)
        run = _run_of(api, pipeline, conf, say)
        succeeded = follow_stages(api, pipeline, run["dag_run_id"], say)
        address = run_address(pipeline, run["dag_run_id"])
        say(f"Run:    {address}")
        if api.tasks(pipeline, run["dag_run_id"]).get("visualize", {}).get("state") == "success":
            say(f"Report: {report_address(pipeline, run['dag_run_id'])}")
    except httpx.HTTPStatusError as error:
        say(f"Airflow answered {error.response.status_code} to {error.request.url}: {error.response.text[:500]}")
        return 1
    except httpx.TransportError as error:
        say(f"Airflow does not answer: {error}. Is it up? make status")
        return 1
    return 0 if succeeded else 1


def run_address(pipeline: str, run_id: str) -> str:
    """Give the address of a run in the web UI."""
    return f"{_base()}{run_path(pipeline, run_id)}"


def report_address(pipeline: str, run_id: str) -> str:
    """Give the address of a run's report."""
    return f"{_base()}/reports{run_path(pipeline, run_id)}/index.html"


def _base() -> str:
    return os.environ.get("AIRFLOW__API__BASE_URL", "http://localhost:8080").rstrip("/")


def wait_for_dag_of(api: AirflowApi, pipeline: str, seconds: int) -> str | None:
    """Wait until Airflow has read the pipeline's file; say why it cannot run."""
    names = [file.stem for file in Settings.of_environment().pipelines.glob("*.yaml")]
    if pipeline not in names:
        return f"There is no config/pipelines/{pipeline}.yaml{guess(pipeline, names)}"
    deadline = time.monotonic() + seconds
    while (dag := api.dag(pipeline)) is None or dag["is_stale"]:
        if time.monotonic() > deadline:
            return (
                f"Airflow knows no pipeline '{pipeline}', though there is a config/pipelines/{pipeline}.yaml. "
                "Does it read the files? make logs SERVICE=airflow-dag-processor"
            )
        time.sleep(POLL_SECONDS)
    if any(tag["name"] == "broken" for tag in dag["tags"]):
        return f"'{pipeline}' cannot run: {dag['description']}. For all of it: make check"
    if dag["is_paused"] and api.has_run(pipeline):
        return f"'{pipeline}' is paused, so a run would wait. Switch it on: {_base()}/dags/{pipeline}"
    return None


def _switch_on(api: AirflowApi, pipeline: str, *, waits: bool, say: Callable[[str], None]) -> None:
    """Switch a pipeline on that waits for its first run; wait for the run that its schedule owes, where that is it."""
    dag = api.dag(pipeline)
    if dag is None or not dag["is_paused"]:
        return
    api.switch_on(pipeline)
    say(f"{pipeline}: switched on, since this is its first run; from now on it runs as its file says")
    deadline = time.monotonic() + SCHEDULED_SECONDS
    while waits and _is_due(dag["next_dagrun_run_after"]) and time.monotonic() < deadline:
        if api.active_run(pipeline):
            return
        time.sleep(POLL_SECONDS)


def _is_due(moment: str | None) -> bool:
    return moment is not None and datetime.fromisoformat(moment) <= datetime.now(UTC)


def _run_of(api: AirflowApi, pipeline: str, conf: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    if not conf and (active := api.active_run(pipeline)):
        say(f"{pipeline}: following the scheduled run that is under way")
        return active
    span = " to ".join(conf[name] for name in ("day", "start", "end") if name in conf)
    about = "all that its sources have" if conf.get("full_refresh") else span or "the last complete interval"
    say(f"{pipeline}: {'trying' if conf.get('dry_run') else 'running'} {about}")
    return api.trigger(pipeline, conf)


def follow_stages(api: AirflowApi, pipeline: str, run_id: str, say: Callable[[str], None]) -> bool:
    """Tell each stage once when it is over, and its trouble when it has some; say whether all went well."""
    told: set[tuple[str, int, str]] = set()
    last_word = time.monotonic()
    while True:
        over = (state := api.run(pipeline, run_id)["state"]) in {"success", "failed"}
        for name, task in api.tasks(pipeline, run_id).items():
            key = (name, task["try_number"], task["state"])
            if key in told or task["state"] not in OVER | {"up_for_retry"}:
                continue
            told.add(key)
            last_word = time.monotonic()
            for line in _told(api, pipeline, run_id, name, task):
                say(line)
        if over:
            return bool(state == "success")
        if time.monotonic() - last_word > SIGN_OF_LIFE_SECONDS:
            last_word = time.monotonic()
            say(f"  ... {state}")
        time.sleep(POLL_SECONDS)


def _told(api: AirflowApi, pipeline: str, run_id: str, name: str, task: dict[str, Any]) -> list[str]:
    seconds = f"{task['duration']:6.1f} s" if task["duration"] is not None else " " * 8
    state = {"success": "done", "upstream_failed": "not run", "up_for_retry": "again"}.get(task["state"], task["state"])
    line = f"  {name:<10} {state:<8} {seconds}"
    if task["state"] == "success":
        result = StageResult.model_validate(api.result(pipeline, run_id, name))
        loaded = "".join(
            f"\n{'':33}{load.table}: {load.rows_inserted:,} inserted, {load.rows_updated:,} updated, "
            f"{load.rows_deleted:,} deleted{f', {load.rows_quarantined:,} quarantined' * bool(load.rows_quarantined)}"
            for load in result.loads
        )
        loaded += "".join(f"\n{'':33}{export.uri}: {export.rows:,} rows" for export in result.exports)
        out = f"{result.rows_out:>9,} rows out" if result.datasets or result.loads or result.exports else ""
        return [f"{line} {result.rows_in:>9,} rows in {out}{loaded}".rstrip()]
    if task["state"] in {"failed", "up_for_retry"}:
        lines = api.log(pipeline, run_id, name, task["try_number"])
        errors = [_complaint(entry) for entry in lines if entry.get("level") in {"error", "critical"}]
        return [line, *(f"    {part}" for part in "\n".join(errors[-1:]).splitlines())]
    if task["state"] == "skipped" and task["try_number"]:
        lines = api.log(pipeline, run_id, name, task["try_number"])
        return [line, *(f"    {_shown(entry)}" for entry in lines if {"columns", "row"} & entry.keys())]
    return [line]


def _shown(entry: dict[str, Any]) -> str:
    """Give what a dry run says of a dataset, or of one of its rows."""
    return f"{entry['event']}: {json.dumps(entry.get('columns') or entry['row'], ensure_ascii=False)}"


def _complaint(entry: dict[str, Any]) -> str:
    """Give what a line of a task's log complains of: the exception's own words, where there is one."""
    details = entry.get("error_detail")
    return str(details[-1]["exc_value"] if details else entry["event"])
