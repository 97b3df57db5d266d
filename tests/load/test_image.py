"""The image loads as hardened as the operator starts it: no root, no capability, nothing writable, no pandas."""

import io
import json
import tarfile
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest

from etl_contract import Conversation, LoadTask, Outcome
from tests._engine import OURS, docker, image
from tests.load.warehouse import IMAGE, NETWORK, Loading

LOAD = image("load")
VOLUME = f"{OURS}-load-files"
HARDENED = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "512m", "--memory-swap", "512m", "--pids-limit", "64"),
    *("--tmpfs", "/tmp:size=64m"),  # noqa: S108 - as the operator mounts it
)
ABSENT = "import importlib.util as u; print([n for n in ('pandas', 'numpy', 'duckdb', 'uv') if u.find_spec(n)])"


@pytest.fixture(autouse=True)
def _image() -> None:
    try:
        docker("image", "inspect", LOAD)
    except RuntimeError:
        pytest.skip(f"needs the image {LOAD}; docker compose build makes it")


@pytest.fixture
def files() -> Iterator[str]:
    """Give a volume for the secret and the dataset."""
    docker("volume", "create", VOLUME)
    try:
        yield VOLUME
    finally:
        docker("volume", "rm", "--force", VOLUME)


def fill(volume: str, files: dict[str, bytes]) -> None:
    """Write files into a volume, as user 10001's own."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid = len(content), 0o400, 10001, 10001
            archive.addfile(member, io.BytesIO(content))
    docker("run", "--rm", "-i", "-v", f"{volume}:/to", "--entrypoint", "tar", IMAGE, "-x", "-p", "-C", "/to",
           stdin=packed.getvalue())  # fmt: skip


def run(volume: str, task: LoadTask) -> Conversation:
    """Run the container, and listen to it."""
    words = [
        "run", "--rm", *HARDENED, "--network", NETWORK,
        "--mount", f"type=volume,src={volume},dst=/run/secrets/warehouse,volume-subpath=secret,readonly",
        "--mount", f"type=volume,src={volume},dst=/runs,volume-subpath=runs,readonly",
        "--env", f"ETL_TASK={task.model_dump_json()}", "--env", "ETL_NONCE=n0nce", LOAD,
    ]  # fmt: skip
    conversation = Conversation("n0nce")
    for line in docker(*words).splitlines():
        conversation.hear(line)
    return conversation


def test_image_loads_with_nothing_but_its_mounts(loading: Loading, files: str) -> None:
    """The container reads its secret and its dataset, loads, and stays within its memory limit."""
    rows = pa.table({"n": range(300_000), "day": [date(2024, 3, 1)] * 300_000, "text": ["some text"] * 300_000})
    task = loading.task({"flights": (rows, {"table": "flights", "mode": "partition", "partition": "day"})})
    path = task.inputs[0].uri.removeprefix("file://")
    with open(path, "rb") as parquet:  # noqa: PTH123 - a path from a URI
        fill(files, {"secret/uri": loading.warehouse.uri().encode(), "runs/flights.parquet": parquet.read()})
    moved = task.inputs[0].model_copy(update={"uri": "file:///runs/flights.parquet"})

    result = run(files, task.model_copy(update={"run_uri": "file:///runs", "inputs": (moved,)})).result

    assert result is not None
    assert result.outcome is Outcome.done, result.fault
    assert result.rows_out == 300_000
    assert result.peak_memory < 200 * 1024 * 1024
    assert loading.warehouse.sql("select count(*), count(distinct n) from mart.flights") == [(300_000, 300_000)]


def test_image_is_of_one_user_and_has_no_pandas() -> None:
    """The image's user is 10001; what it does not need is not in it."""
    (config,) = json.loads(docker("image", "inspect", LOAD))
    setuid = ("/", "-xdev", "-perm", "/6000", "-type", "f")

    assert config["Config"]["User"] == "10001:10001"
    assert docker("run", "--rm", "--entrypoint", "python", LOAD, "-c", ABSENT) == "[]"
    assert docker("run", "--rm", "--user", "0", "--entrypoint", "find", LOAD, *setuid) == ""


def test_what_a_pipeline_does_not_need_is_not_imported() -> None:
    """One that loads starts without what writes files or shows a dry run, one that only exports without SQL."""
    loading = imported_by("etl_load.__main__", "etl_load._load", "etl_load._warehouse")
    exporting = imported_by("etl_load.__main__", "etl_load._export")

    assert "sqlalchemy" in loading
    assert {"xlsxwriter", "etl_load._export", "etl_load._dry_run", "etl_load.preview"}.isdisjoint(loading)
    assert {"xlsxwriter", "sqlalchemy", "psycopg", "etl_load._dry_run", "etl_load.preview"}.isdisjoint(exporting)


def imported_by(*modules: str) -> set[str]:
    """Name what is imported when these modules are."""
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(docker("run", "--rm", "--network", "none", "--entrypoint", "python", LOAD, "-c", program).split())
