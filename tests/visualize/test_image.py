"""The image as the operator runs it: read-only, without capabilities, as a number."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from etl_contract import Conversation, Outcome, VisualizeTask
from tests._engine import OURS, docker, image
from tests.visualize.conftest import SERVER
from tests.visualize.reporting import chart, task

pytestmark = pytest.mark.integration

IMAGE = image("visualize")
REPORTS, SECRETS = f"{OURS}-visualize-reports", f"{OURS}-visualize-secrets"
HARDENED = ["--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init"]
HARDENED += ["--pids-limit", "256", "--memory", "1g", "--cpus", "1", "--tmpfs", "/tmp:rw,noexec,size=64m"]  # noqa: S108


@pytest.fixture
def volumes() -> Iterator[list[str]]:
    """Give the mounts of the stage: the warehouse's address, and room for reports."""
    options = ["--rm", "--user", "0", "--volume", f"{SECRETS}:/s", "--entrypoint", "sh", IMAGE]
    uri = f"postgresql://report:a-secret@{SERVER}:5432/postgres"
    try:
        docker("run", *options, "-c", f"printf %s '{uri}' > /s/uri && chown 10001 /s /s/uri && chmod 0400 /s/uri")
        yield ["--volume", f"{SECRETS}:/run/secrets/warehouse:ro", "--volume", f"{REPORTS}:/reports"]
    finally:
        docker("volume", "rm", "--force", REPORTS, SECRETS)


def _run(given: VisualizeTask, *options: str) -> tuple[Conversation, str]:
    environment = ["--env", f"ETL_TASK={given.model_dump_json()}", "--env", "ETL_NONCE=n"]
    said = docker("run", *HARDENED, "--network", SERVER, *environment, *options, IMAGE)
    conversation = Conversation("n")
    for line in said.splitlines():
        conversation.hear(line)
    return conversation, said


def test_a_report_is_made_as_the_operator_asks(
    admin: psycopg.Connection, volumes: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With four charts, within the limits of a stage; fonts and caches need no home."""
    admin.execute(
        "create table mart.flights as select n % 24 as hour, n * 7 % 90 as delay from generate_series(1, 900) as n"
    )
    sql = "select hour, avg(delay) as delay from mart.flights group by 1"
    charts = [chart(mark, title=mark, sql=sql, x="hour:O", y="delay") for mark in ("line", "bar", "area", "circle")]
    given = task(*charts, folder=tmp_path_factory.getbasetemp(), report_uri="file:///reports/flights/run-1")
    conversation, said = _run(given, *volumes)
    listed = docker("run", "--rm", *volumes, "--entrypoint", "ls", IMAGE, "/reports/flights/run-1").split()

    assert conversation.result is not None, said
    assert conversation.result.outcome is Outcome.done
    assert conversation.result.seconds < 15
    assert conversation.result.peak_memory < 500_000_000
    assert len(listed) == 13
    assert "index.html" in listed
    assert "a-secret" not in said


def test_nothing_needless_is_in_the_image() -> None:
    """Neither the libraries of other stages, nor uv, nor a program that may become another user."""
    needless = ["pandas", "numpy", "pyarrow", "duckdb", "uv", "pip"]
    code = f"import importlib.util as u; print([name for name in {needless} if u.find_spec(name)])"

    assert docker("run", *HARDENED, "--network", "none", "--entrypoint", "python", IMAGE, "-c", code) == "[]"
    assert (
        docker("run", *HARDENED, "--network", "none", "--entrypoint", "find", IMAGE, "/usr", "/opt", "-perm", "/6000")
        == ""
    )


def test_what_a_report_does_not_need_is_not_imported() -> None:
    """A report starts without frames and their files, and before it connects without the database's driver."""
    code = "import sys, etl_visualize.__main__; print(*sys.modules)"
    said = docker("run", *HARDENED, "--network", "none", "--entrypoint", "python", IMAGE, "-c", code)

    assert "sqlalchemy" in said.split()
    assert {"psycopg", "pandas", "numpy", "pyarrow", "duckdb", "httpx"}.isdisjoint(said.split())


def test_the_image_runs_as_a_number() -> None:
    """So that Kubernetes and the Engine can tell that it is not root."""
    (inspected,) = json.loads(docker("image", "inspect", IMAGE))

    assert inspected["Config"]["User"] == "10001:10001"
    assert inspected["Config"]["Entrypoint"] == ["python", "-m", "etl_visualize"]
