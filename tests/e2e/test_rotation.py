"""Secrets are rotated while a run is under way, and no run is lost."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests._stack import Stack, until
from tests.e2e.held import held
from tests.e2e.slow import wait_for_stage

LOAD = r"stages/load/uri|postgres/load\.scram"
AUTHORITY = r"authority/pair\.pem|postgres_server/pair\.pem|.*/ca\.pem"


def _secrets(stack: Stack) -> dict[str, str]:
    """Give every file of the secrets, by a digest of what it holds."""
    words = [
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "--entrypoint",
        "sh",
        "secrets",
        "-c",
        "cd /secrets && find . -type f -exec sha256sum {} +",
    ]
    return {path: digest for digest, path in map(str.split, stack.compose(*words).splitlines())}


def _connections(stack: Stack) -> str:
    saved = stack.compose(
        "exec", "-T", "airflow-apiserver", "airflow", "connections", "get", "kept", "--output", "json"
    )
    (connection,) = json.loads(saved[saved.index("[") :])
    return str(connection["password"])


@contextmanager
def _under_way(stack: Stack, dag_id: str, stage: str) -> Iterator[str]:
    """Start a run, and give its id while a stage of it is at work; load is kept there by a lock on its table."""
    if stage != "load":
        run_id = stack.trigger(dag_id)
        wait_for_stage(stack, run_id, stage)
        yield run_id
        return
    if not stack.sql("warehouse", "select 1 as there from pg_tables where tablename = 'slow'"):
        stack.run(dag_id)
    statement = "begin; lock table mart.slow in access exclusive mode; select pg_sleep(300)"
    psql = ["psql", "-X", "--username=postgres", "warehouse", "--command", statement]
    with subprocess.Popen(["docker", "exec", f"{stack.project}-postgres-1", *psql], stderr=subprocess.DEVNULL) as lock:
        waits = "select 1 as waits from pg_stat_activity where usename = 'load' and wait_event_type = 'Lock'"
        ends = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%lock table mart.slow%'"
        try:
            run_id = stack.trigger(dag_id)
            until(lambda: stack.sql("warehouse", waits) != [], 120)
            yield run_id
        finally:
            stack.sql("warehouse", f"{ends} and pid <> pg_backend_pid()")
            lock.wait()


@pytest.mark.parametrize(
    ("secret", "stage", "files"),
    [
        ("load", "transform", LOAD),
        ("load", "load", LOAD),
        ("extract", "extract", r"connections/(source|warehouse)/uri|postgres/extract\.scram"),
        ("recorder", "transform", r"airflow/recorder_uri|postgres/recorder\.scram"),
        ("report", "visualize", r"stages/visualize/uri|postgres/report\.scram"),
        ("authority", "transform", AUTHORITY),
        ("authority", "load", AUTHORITY),
        ("tls", "extract", r"postgres_server/pair\.pem"),
        ("airflow", "transform", r"airflow/database_url(_async)?|postgres/airflow\.scram"),
        ("jwt_secret", "transform", "airflow/jwt_secret"),
        ("fernet_key", "transform", "airflow/fernet_key"),
    ],
)
def test_a_run_that_is_under_way_succeeds(stack: Stack, slow: str, secret: str, stage: str, files: str) -> None:
    """Whatever is rotated in the middle of it, also by the stage that has just read it, a run ends well."""
    if secret == "fernet_key":  # noqa: S105 - its name
        body = {"connection_id": "kept", "conn_type": "http", "password": "s3cret-of-mine"}
        assert stack.api.post("/api/v2/connections", json=body).status_code in {201, 409}
    before = _secrets(stack)
    with _under_way(stack, slow, stage) as run_id:
        said = stack.script("setup/rotate.sh", secret)
    stack.log_in()

    assert stack.wait_for_run(slow, run_id, 240) == "success"
    after = _secrets(stack)
    changed = {path.removeprefix("./") for path in after if after[path] != before.get(path)}
    assert changed, said
    assert [path for path in changed if not re.fullmatch(files, path)] == []
    if secret == "fernet_key":  # noqa: S105 - its name
        assert _connections(stack) == "s3cret-of-mine"


@pytest.mark.parametrize("secret", ["load", "authority"])
def test_a_run_between_two_stages_succeeds(stack: Stack, slow: str, secret: str) -> None:
    """A stage that starts as its secret is rotated reads the new one: it needs no second try."""
    for stage in held(stack, slow, last="load"):
        run_id = stage.run_id
        if stage.stage == "load":
            stack.script("setup/rotate.sh", secret)

    assert stack.wait_for_run(slow, run_id, 240) == "success"
    assert {task["try_number"] for task in stack.tasks(slow, run_id).values()} == {1}
