"""The image of extract, as the platform starts it."""

from pathlib import Path

import pytest

from etl_contract import Conversation, Outcome, StageResult
from tests._engine import OURS, docker, image, network
from tests.extract.reading import Extracting

pytestmark = pytest.mark.integration
NAME = f"{OURS}-extract-image"
SERVER = """
import http.server, pathlib
pathlib.Path("/tmp/o.csv").write_text("id,amount\\n1,10.50\\n")
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000, bind="0.0.0.0", protocol="HTTP/1.1")
"""
HARDENED = (
    "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init", "--memory", "512m",
    "--tmpfs", "/tmp:rw,noexec,nosuid,size=64m", "--tmpfs",  # noqa: S108 - the container's own
    "/runs:uid=10001,gid=10001,size=64m",
)  # fmt: skip


def _run(task: str) -> StageResult:
    said = docker(
        "run", "--rm", "--network", NAME, *HARDENED, "--env", f"ETL_TASK={task}", "--env", "ETL_NONCE=n0nce",
        image("extract"),
    )  # fmt: skip
    conversation = Conversation("n0nce")
    for line in said.splitlines():
        conversation.hear(line)
    assert conversation.result is not None, said
    return conversation.result


def test_a_web_source_is_read_by_the_image(tmp_path: Path) -> None:
    """Without root, on a file system that cannot be written to, from a server on the same network."""
    task = Extracting(tmp_path).task(orders={"http": f"http://{NAME}-server:8000/o.csv", "tries": 8})
    with network(NAME):
        docker("run", "--detach", "--name", f"{NAME}-server", "--network", NAME, "--workdir", "/tmp",  # noqa: S108
               "--entrypoint", "python", image("extract"), "-c", SERVER)  # fmt: skip
        result = _run(task.model_copy(update={"run_uri": "file:///runs/shop/test"}).model_dump_json())

    assert (result.outcome, result.rows_out) == (Outcome.done, 1)


def test_what_a_pipeline_does_not_read_is_not_imported() -> None:
    """A container of a database's pipeline starts no slower for the web, for workbooks or for S3."""
    said = docker(
        "run", "--rm", "--network", "none", "--entrypoint", "python", image("extract"), "-c",
        "import sys, etl_extract.__main__, etl_extract._sql, etl_extract._postgres;"
        "print(*{name.partition('.')[0] for name in sys.modules})",
    )  # fmt: skip

    assert {"httpx", "stamina", "python_calamine"}.isdisjoint(said.split())
