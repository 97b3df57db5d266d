"""What `run` makes of whatever a stage does: each in a process of its own, as in a container."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl_contract import Conversation, Dataset, Interval, LoadTask, Outcome, StageResult
from etl_contract._received import received

TASK = LoadTask(
    pipeline="orders",
    run_id="manual__1",
    interval=Interval(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC)),
    run_uri="file:///runs/orders/1",
    spec={},
)
PROGRAM = """
import os, sys, structlog
from etl_contract import *
def stage(task):
    {body}
run(stage, LoadTask)
"""


def _run(body: str, task: str | None = None) -> tuple[int, StageResult, str]:
    environment = {**os.environ, "ETL_TASK": task or TASK.model_dump_json(), "ETL_NONCE": "n"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)], env=environment, capture_output=True, text=True, check=False
    )
    conversation = Conversation("n")
    for line in done.stdout.splitlines():
        conversation.hear(line)
    assert conversation.result is not None, done.stdout + done.stderr
    return done.returncode, conversation.result, done.stdout + done.stderr


def test_a_stage_that_returns_is_done() -> None:
    """Its result bears what it cost."""
    code, result, _ = _run("return StageResult(outcome='done', rows_in=3)")

    assert (code, result.outcome, result.rows_in) == (0, Outcome.done, 3)
    assert result.peak_memory > 1024**2
    assert result.cpu_seconds > 0


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        ("SpecError", 1, Outcome.failed),
        ("DataError", 1, Outcome.failed),
        ("Unavailable", 75, Outcome.retry),
        ("NothingToDo", 0, Outcome.skipped),
    ],
)
def test_an_error_is_named_for_what_happens_next(error: str, code: int, outcome: Outcome) -> None:
    """Each error of the contract is one outcome, with its three parts and without a traceback."""
    got, result, output = _run(f"raise {error}('no rows', where='row 3', hint='Look.')")

    assert (got, result.outcome) == (code, outcome)
    assert result.fault is not None
    assert (result.fault.kind, result.fault.problem, result.fault.where, result.fault.hint) == (
        error,
        "no rows",
        "row 3",
        "Look.",
    )
    assert "Traceback" not in output


def test_a_bug_keeps_its_traceback() -> None:
    """What nobody foresaw fails the run, and is shown as it happened."""
    code, result, output = _run("return 1 / 0")

    assert (code, result.outcome) == (1, Outcome.failed)
    assert result.fault is not None
    assert result.fault.problem == "ZeroDivisionError: division by zero"
    assert "Traceback" in output


def test_a_task_that_is_none_is_a_failure_not_a_crash() -> None:
    """Even a wrong task gives a result that Airflow can show."""
    code, result, _ = _run("return StageResult(outcome='done')", task="{}")

    assert (code, result.outcome) == (1, Outcome.failed)


def test_a_task_that_names_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    """Before the stage begins, as a fault that a person can read."""
    file = Dataset(name="orders", uri=f"{tmp_path.as_uri()}/secret", rows=1, bytes=1, sha256="0" * 64)
    task = TASK.model_copy(update={"inputs": (file,)}).model_dump_json()

    code, result, _ = _run("return StageResult(outcome='done')", task=task)

    assert (code, result.outcome) == (1, Outcome.failed)
    assert result.fault is not None
    assert (result.fault.kind, result.fault.where) == ("DataError", file.uri)


def test_the_stage_does_not_see_its_task_in_the_environment() -> None:
    """An author's code meets neither the nonce nor the task by chance."""
    _, result, _ = _run(
        "return StageResult(outcome='done', rows_in='ETL_NONCE' in os.environ or 'ETL_TASK' in os.environ)"
    )

    assert result.rows_in == 0


def test_what_a_stage_is_given_to_read_is_counted() -> None:
    """The result has the bytes of its files, those that it counted itself, and what came over its network."""
    files = tuple(
        Dataset(name=name, uri=f"{TASK.run_uri}/{name}", rows=1, bytes=500, sha256="0" * 64)
        for name in ("orders", "customers")
    )
    task = TASK.model_copy(update={"inputs": files}).model_dump_json()
    before = received()

    _, result, _ = _run("return StageResult(outcome='done', bytes_in=7)", task=task)

    assert 1_007 + before <= result.bytes_in <= 1_007 + received()


def test_every_device_but_the_programs_own_is_counted(tmp_path: Path) -> None:
    """The kernel's table is read, whatever devices a container has."""
    devices = tmp_path / "dev"
    devices.write_text(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
        "    lo:     999       9    0    0    0     0          0         0      999       9    0    0    0     0\n"
        "  eth0:1234567      99    0    0    0     0          0         0      100       1    0    0    0     0\n"
        "  eth1:      33       1    0    0    0     0          0         0        0       0    0    0    0     0\n"
    )

    assert received(devices) == 1_234_600
