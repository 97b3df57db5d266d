"""Secrets are rotated while a run is under way, and no run is lost."""

import json
import re
from collections.abc import Iterator

import pytest

from tests._stack import Stack, until

YAML = """\
description: A pipeline of the tests that is under way while secrets are rotated
extract:
  numbers: {sql: warehouse, query: "select n, pg_sleep(0.1)::text as pause from generate_series(1, 60) as n"}
transform:
  pandas: rotated.py:change
load:
  numbers: {table: mart.rotated, mode: upsert, key: [n]}
visualize:
  title: Rotated
  charts:
    - {title: Numbers, sql: "select n from mart.rotated", mark: bar, encoding: {x: "n:Q"}}
"""
PYTHON = """\
import time

def change(numbers):
    time.sleep(10)
    return {"numbers": numbers[["n"]]}
"""


@pytest.fixture(scope="module")
def rotated(stack: Stack) -> Iterator[str]:
    """Give a pipeline whose transform takes ten seconds."""
    with stack.pipeline("rotated", {"rotated.yaml": YAML, "rotated.py": PYTHON}) as name:
        yield name


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


@pytest.mark.parametrize(
    ("secret", "files"),
    [
        ("load", "stages/load/uri|postgres/load.scram"),
        ("authority", "authority/pair.pem|postgres_server/pair.pem|.*/ca.pem"),
        ("airflow", "airflow/database_url(_async)?|postgres/airflow.scram"),
        ("jwt_secret", "airflow/jwt_secret"),
        ("fernet_key", "airflow/fernet_key"),
    ],
)
def test_a_run_that_is_under_way_succeeds(stack: Stack, rotated: str, secret: str, files: str) -> None:
    """Whatever is rotated in the middle of it, a run ends well."""
    if secret == "fernet_key":  # noqa: S105 - its name
        body = {"connection_id": "kept", "conn_type": "http", "password": "s3cret-of-mine"}
        assert stack.api.post("/api/v2/connections", json=body).status_code in {201, 409}
    before = _secrets(stack)
    run_id = stack.trigger(rotated)
    until(lambda: any(container["stage"] == "transform" for container in stack.stage_containers(run_id)), 120)

    said = stack.script("setup/rotate.sh", secret)
    stack.log_in()

    assert stack.wait_for_run(rotated, run_id, 240) == "success"
    after = _secrets(stack)
    changed = {path.removeprefix("./") for path in after if after[path] != before.get(path)}
    assert changed, said
    assert [path for path in changed if not re.fullmatch(files, path)] == []
    if secret == "fernet_key":  # noqa: S105 - its name
        assert _connections(stack) == "s3cret-of-mine"
