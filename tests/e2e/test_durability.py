"""A run survives what happens around it: one container a stage, the whole log, the result, and soon."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests._stack import PROJECT, Stack, until
from tests.e2e.slow import PYTHON, YAML, wait_for_stage

SCHEDULER = f"{PROJECT}-airflow-scheduler-1"
GUARD = f"{PROJECT}-docker-guard-1"
STAGES = ("extract", "transform", "load", "visualize")
SOON_SECONDS = 60


@contextmanager
def watching(folder: Path) -> Iterator[Callable[[str], list[str]]]:
    """Watch the Engine; give what says the stage of each container that was created for a run.

    The Engine itself remembers only its last 256 events.
    """
    path = folder / "events"
    command = ["docker", "events", "--filter", "type=container", "--filter", "event=create", "--format"]
    with path.open("w") as file:
        process = subprocess.Popen([*command, "{{json .Actor.Attributes}}"], stdout=file)

    def created(run_id: str) -> list[str]:
        containers = [json.loads(line) for line in path.read_text().splitlines()]
        return [container["etl.stage"] for container in containers if container.get("etl.run_id") == run_id]

    try:
        yield created
    finally:
        process.terminate()
        process.wait()


def test_a_run_takes_one_container_a_stage(stack: Stack, slow: str, tmp_path: Path) -> None:
    """In peace there are four containers, and then none."""
    with watching(tmp_path) as created:
        run_id = stack.run(slow)

        assert created(run_id) == list(STAGES)
    assert stack.stage_containers(run_id) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_goes_on_after_the_scheduler_was_killed(stack: Stack, slow: str, stage: str, tmp_path: Path) -> None:
    """Kill -9 of the scheduler in any stage: within a minute the next try has the container, its log and its result."""
    with watching(tmp_path) as created:
        run_id = stack.trigger(slow)
        wait_for_stage(stack, run_id, stage)

        stack.docker("kill", "--signal", "KILL", SCHEDULER)
        stack.docker("start", SCHEDULER)
        went_on = until(lambda: stack.tasks(slow, run_id)[stage]["try_number"] == 2, SOON_SECONDS)

        assert stack.wait_for_run(slow, run_id) == "success", "\n".join(stack.messages(slow, run_id))
        assert went_on < SOON_SECONDS
        assert created(run_id) == list(STAGES)
    log = stack.text(slow, run_id, stage, 2)
    assert "Found the container that an earlier try started" in log
    first_words = {
        "extract": "extracting 1 sources",
        "transform": "second 0",
        "load": "staged numbers",
        "visualize": "Numbers",
    }
    assert first_words[stage] in log
    assert stack.result(slow, run_id, stage)["outcome"] == "done"
    assert stack.one("warehouse", "select count(*), sum(n) from mart.slow") == {"count": "60", "sum": "1830"}
    assert stack.stage_containers(run_id) == []


def test_a_task_that_is_failed_by_hand_leaves_no_container_and_can_be_cleared(stack: Stack, slow: str) -> None:
    """Mark as failed stops the container within seconds; Clear runs the stage and those after it anew."""
    run_id = stack.trigger(slow)
    wait_for_stage(stack, run_id, "transform")
    path = f"/api/v2/dags/{slow}/dagRuns/{run_id}/taskInstances/transform"

    answer = stack.api.patch(path, json={"new_state": "failed"})

    assert answer.is_success, answer.text
    until(lambda: stack.stage_containers(run_id) == [], 20)
    assert stack.wait_for_run(slow, run_id) == "failed"

    clear = {
        "dry_run": False,
        "dag_run_id": run_id,
        "task_ids": ["transform"],
        "include_downstream": True,
        "only_failed": False,
    }
    answer = stack.api.post(f"/api/v2/dags/{slow}/clearTaskInstances", json=clear)

    assert answer.is_success, answer.text
    until(lambda: stack.run_state(slow, run_id) == "success", 120)
    assert stack.tasks(slow, run_id)["extract"]["try_number"] == 1
    assert stack.stage_containers(run_id) == []


def test_a_cleared_success_runs_anew(stack: Stack, slow: str, tmp_path: Path) -> None:
    """A stage that was done is done again when somebody clears it, in a container of its own."""
    run_id = stack.run(slow)
    clear = {
        "dry_run": False,
        "dag_run_id": run_id,
        "task_ids": ["load"],
        "include_downstream": False,
        "only_failed": False,
    }

    with watching(tmp_path) as created:
        stack.api.post(f"/api/v2/dags/{slow}/clearTaskInstances", json=clear).raise_for_status()

        until(lambda: stack.tasks(slow, run_id)["load"]["try_number"] == 2, 120)
        assert stack.wait_for_run(slow, run_id) == "success"
        assert created(run_id) == ["load"]


def test_a_killed_container_is_tried_again(stack: Stack, slow: str) -> None:
    """Kill -9 of a stage costs a try, and nothing else."""
    run_id = stack.trigger(slow)
    container = wait_for_stage(stack, run_id, "transform")
    time.sleep(2)

    stack.docker("kill", "--signal", "KILL", container["id"])

    assert stack.wait_for_run(slow, run_id) == "success"
    assert stack.tasks(slow, run_id)["transform"]["try_number"] == 2
    assert "no result: it was killed" in stack.text(slow, run_id, "transform", 1)
    tries = stack.sql(
        "warehouse",
        "select try_number, state, exit_code from etl.stage_runs "
        "where run_id = :'run' and stage = 'transform' order by try_number",
        run=run_id,
    )
    assert [tuple(line.values()) for line in tries] == [("1", "killed", "137"), ("2", "success", "0")]


def test_a_restart_of_the_guard_costs_nothing(stack: Stack, slow: str) -> None:
    """The log goes on where it was, without a line lost or twice."""
    run_id = stack.trigger(slow)
    wait_for_stage(stack, run_id, "transform")
    time.sleep(2)

    stack.docker("restart", "--time", "1", GUARD)

    assert stack.wait_for_run(slow, run_id) == "success"
    assert stack.tasks(slow, run_id)["transform"]["try_number"] == 1
    said = [line["event"] for line in stack.log(slow, run_id, "transform") if line["event"].startswith("second ")]
    assert said == [f"second {number}" for number in range(8)]


def test_a_restart_of_the_api_server_costs_nothing(stack: Stack, slow: str) -> None:
    """A running task waits for the api-server to come back."""
    run_id = stack.trigger(slow)
    wait_for_stage(stack, run_id, "extract")

    stack.compose("restart", "airflow-apiserver")
    stack.compose("up", "--wait", "--no-deps", "airflow-apiserver")

    assert stack.wait_for_run(slow, run_id) == "success"


def test_a_stage_that_takes_too_long_is_stopped(stack: Stack) -> None:
    """The limit in minutes ends the container, and the log says why."""
    text = (
        YAML.replace("slow.py", "slower.py").replace("mart.slow", "mart.slower")
        + "limits: {transform: {minutes: 1}}\nretries: 0\n"
    )
    with stack.pipeline("slower", {"slower.yaml": text, "slower.py": PYTHON.replace("SECONDS", "90")}):
        run_id = stack.trigger("slower")

        assert stack.wait_for_run("slower", run_id) == "failed"
        assert "The stage took longer than its limit of" in stack.text("slower", run_id, "transform")
        assert stack.tasks("slower", run_id)["transform"]["duration"] < 70
        assert stack.stage_containers(run_id) == []


def test_two_runs_of_one_day_at_once_are_as_one(stack: Stack, slow: str) -> None:
    """Both succeed, and the table is that of one."""
    runs: list[str] = []
    threads = [threading.Thread(target=lambda: runs.append(stack.run(slow, "2026-01-05"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 2
    assert stack.one("warehouse", "select count(*), sum(n) from mart.slow") == {"count": "60", "sum": "1830"}
