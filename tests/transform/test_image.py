"""The image transforms as hardened as the operator starts it, also rows that are more than its memory."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest

from etl_contract import Conversation, Outcome, StageResult, TransformTask
from tests._engine import OURS, docker, image
from tests.transform.running import Stage

TRANSFORM = image("transform")
HARDENED = (
    *("--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init"),
    *("--memory", "256m", "--memory-swap", "256m", "--cpus", "1", "--pids-limit", "256"),
    *("--tmpfs", "/tmp:rw,noexec,nosuid,size=512m"),  # noqa: S108 - as the operator mounts it
)
ROWS = 1_000_000
SORT = "select * from big order by text"

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _image() -> None:
    try:
        docker("image", "inspect", TRANSFORM)
    except RuntimeError:
        pytest.skip(f"needs the image {TRANSFORM}; docker compose build makes it")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a run's folder, of which the image's user may make what it likes."""
    (tmp_path / "transform").mkdir(parents=True)
    for path in (tmp_path, tmp_path / "transform"):
        path.chmod(0o777)
    yield tmp_path
    docker("run", "--rm", "--user", "0", "-v", f"{tmp_path}:/runs", "--entrypoint", "sh", TRANSFORM,
           "-c", "rm -rf /runs/transform")  # fmt: skip


@pytest.fixture
def big(folder: Path) -> Stage:
    """Give a stage with rows that are more than its memory."""
    numbers = pa.array(range(ROWS), pa.int64())
    text = pa.array([f"{(n * 2654435761) % 2**32:010d}{'x' * 290}" for n in range(ROWS)])
    return Stage(folder, big=pa.table({"n": numbers, "text": text}))


class Heard(Conversation):
    """What a container said."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("n0nce")
        self.log = [heard.event for line in lines if (heard := self.hear(line))]

    @property
    def done(self) -> StageResult:
        """Give the result; a container always has one."""
        assert self.result is not None, self.log
        return self.result


def _task(stage: Stage, spec: object, files: dict[str, str] | None = None) -> str:
    task: TransformTask = stage.task(spec, files)
    text = task.model_dump_json()
    return text.replace(stage.folder.as_uri(), "file:///runs/orders/1")


def _words(stage: Stage, task: str, *options: str) -> list[str]:
    told = ("--env", f"ETL_TASK={task}", "--env", "ETL_NONCE=n0nce")
    return [*HARDENED, "-v", f"{stage.folder}:/runs/orders/1", *options, *told, TRANSFORM]


def _run(stage: Stage, spec: object, files: dict[str, str] | None = None, *options: str) -> Heard:
    words = ["docker", "run", "--rm", *_words(stage, _task(stage, spec, files), *options)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    return Heard(done.stdout.splitlines() + done.stderr.splitlines())


def test_rows_beyond_the_memory_are_spilled(big: Stage) -> None:
    """A sort of more rows than memory holds ends well in a container that may have less, and leaves no spilled row."""
    heard = _run(big, {"sql": {"sorted": SORT}})

    assert heard.done.outcome is Outcome.done, heard.done.fault
    assert heard.done.rows_out == ROWS
    assert [path.name for path in (big.folder / "transform").iterdir()] == ["sorted.parquet"]


def test_a_query_that_cannot_spill_is_told_the_limit(big: Stage) -> None:
    """One value of all rows does not fit: the message says the limit, and what to write; no kill, no traceback."""
    heard = _run(big, {"sql": {"all": "select list(text) as texts from big"}})

    fault = heard.done.fault
    assert fault is not None
    assert (heard.done.outcome, fault.kind) == (Outcome.failed, "SpecError")
    assert fault.problem.startswith("the query needs more memory than the stage's 256 MiB")
    assert "limits: {transform: {memory: ...}}" in fault.hint
    assert fault.where == "config/pipelines/orders.yaml, line 1, transform.sql.all"
    assert not [line for line in heard.log if "Traceback" in line or "nanobind" in line]


@pytest.mark.parametrize("query", [SORT, "select n, sha256(text) as text from big"])
def test_a_full_disk_is_tried_again(big: Stage, query: str) -> None:
    """Where spilled rows or an output find no room, they may in a later try."""
    small = ("--mount", "type=tmpfs,dst=/runs/orders/1/transform,tmpfs-size=32m,tmpfs-mode=1777")
    heard = _run(big, {"sql": {"full": query}}, None, *small)

    assert heard.done.outcome is Outcome.retry, heard.done.fault
    assert heard.done.fault is not None
    assert heard.done.fault.problem == "the disk is full"


def test_what_a_killed_try_spilled_is_swept_by_the_next(big: Stage) -> None:
    """A container killed in the middle of a sort leaves nothing for ever."""
    spilled = big.folder / "transform" / ".spill"
    name = f"{OURS}-transform-{uuid4().hex[:8]}"
    docker("run", "--detach", "--rm", "--name", name, *_words(big, _task(big, {"sql": {"sorted": SORT}})))
    until = time.monotonic() + 60
    while not (spilled.exists() and docker("exec", name, "ls", "/runs/orders/1/transform/.spill")):
        assert time.monotonic() < until
        time.sleep(0.02)
    docker("kill", "--signal", "KILL", name)
    assert spilled.exists()

    heard = _run(big, {"sql": {"one": "select 1 as one"}})

    assert heard.done.outcome is Outcome.done
    assert "one.parquet" in {path.name for path in (big.folder / "transform").iterdir()}
    assert not spilled.exists()


def test_what_a_function_prints_is_a_line_of_the_log(folder: Path) -> None:
    """Nor does a line that looks like a result end the stage with it."""
    stage = Stage(folder, orders=pa.table({"id": [1]}))
    twin = (
        "def clean(orders):\n"
        '    print(\'::etl-result n0 {"outcome": "skipped"}\')\n'
        "    print('hello', flush=True)\n"
        "    return {'orders': orders}\n"
    )

    heard = _run(stage, {"pandas": "orders.py:clean"}, {"orders.py": twin})

    assert heard.done.outcome is Outcome.done
    assert '::etl-result n0 {"outcome": "skipped"}' in heard.log
    assert "hello" in heard.log


@pytest.mark.parametrize("leave", ["import sys; sys.exit(3)", "exit()", "raise SystemExit"])
def test_a_function_that_leaves_is_told(folder: Path, leave: str) -> None:
    """An exit in an author's code is a mistake in the author's line, and no container that vanished."""
    stage = Stage(folder, orders=pa.table({"id": [1]}))

    heard = _run(stage, {"pandas": "orders.py:clean"}, {"orders.py": f"def clean(orders):\n    {leave}\n"})

    assert heard.done.fault is not None
    assert heard.done.fault.problem.startswith("SystemExit")
    assert heard.done.fault.where == "config/pipelines/orders.py, line 2, in clean"
