"""The image exports as hardened as the operator starts it: into its volume alone, and with no warehouse."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest

from etl_contract import Conversation, LoadTask, Outcome
from tests._engine import OURS, docker
from tests.load.exporting import Exporting
from tests.load.test_image import HARDENED, LOAD, fill

RUNS, EXPORTS = f"{OURS}-export-runs", f"{OURS}-export-files"
ROWS = pa.table(
    {
        "n": range(300_000),
        "day": [date(2024, 3, 1)] * 300_000,
        "text": [f"some text {n * 7919 % 300_000}" for n in range(300_000)],
    }
)


@pytest.fixture
def volume(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a volume for the files, of which the test may say how large it is."""
    size = getattr(request, "param", "256m")
    options = ("type=tmpfs", "device=tmpfs", f"o=size={size},uid=10001,gid=10001")
    docker("volume", "rm", "--force", RUNS, EXPORTS)
    docker("volume", "create", RUNS)
    docker("volume", "create", *(word for option in options for word in ("--opt", option)), EXPORTS)
    try:
        yield EXPORTS
    finally:
        docker("volume", "rm", "--force", RUNS, EXPORTS)


def _run(task: LoadTask, *after: str) -> tuple[Conversation, list[str]]:
    """Run the container; give what it said, and the files that there are then."""
    with open(task.inputs[0].uri.removeprefix("file://"), "rb") as parquet:  # noqa: PTH123 - a path from a URI
        fill(RUNS, {"orders.parquet": parquet.read()})
    moved = task.inputs[0].model_copy(update={"uri": "file:///runs/orders.parquet"})
    task = task.model_copy(update={"inputs": (moved,), "run_uri": "file:///runs"})
    # One container that runs the stage and then looks: a volume in memory is empty when nobody holds it.
    script = f"{'; '.join([*after, 'true'])}; python -m etl_load; cd /exports && find . -type f | sort"
    said = docker(
        "run", "--rm", *HARDENED, "--init", "--network", "none",
        "--mount", f"type=volume,src={RUNS},dst=/runs,readonly", "--mount", f"type=volume,src={EXPORTS},dst=/exports",
        "--env", f"ETL_TASK={task.model_dump_json()}", "--env", "ETL_NONCE=n0nce",
        "--entrypoint", "sh", LOAD, "-c", script,
    )  # fmt: skip
    conversation = Conversation("n0nce")
    for line in said.splitlines():
        conversation.hear(line)
    return conversation, [line for line in said.splitlines() if line.startswith("./")]


def test_image_exports_with_no_network_and_no_secret(exporting: Exporting, volume: str) -> None:
    """Each format is there with its manifest, within the memory of a stage, and nothing else."""
    targets = [{"format": form, "to": f"orders/today.{form}"} for form in ("csv", "json", "ndjson", "parquet")]
    conversation, files = _run(exporting.task(ROWS, *targets))

    assert conversation.result is not None
    assert conversation.result.outcome is Outcome.done, conversation.result.fault
    assert [export.rows for export in conversation.result.exports] == [300_000] * 4
    assert conversation.result.peak_memory < 250 * 1024 * 1024
    names = [f"./orders/today.{form}" for form in ("csv", "json", "ndjson", "parquet")]
    assert files == sorted([*names, *(f"{name}.manifest.json" for name in names)])


def test_a_workbook_is_made_beside_its_place(exporting: Exporting, volume: str) -> None:
    """What it takes meanwhile is on the volume, not in memory, and gone in the end."""
    conversation, files = _run(exporting.task(ROWS.slice(0, 100_000), {"format": "xlsx", "to": "today.xlsx"}))

    assert conversation.result is not None
    assert conversation.result.outcome is Outcome.done, conversation.result.fault
    assert files == ["./today.xlsx", "./today.xlsx.manifest.json"]


@pytest.mark.parametrize("volume", ["1m"], indirect=True)
@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_a_full_disk_is_worth_another_try_and_leaves_the_old_file(exporting: Exporting, volume: str, form: str) -> None:
    """It is told, nothing of the new file stays, and the one that was there is whole."""
    task = exporting.task(ROWS, {"format": form, "to": "today"})
    conversation, files = _run(task, "echo old >/exports/today")

    assert conversation.result is not None
    assert conversation.result.fault is not None
    assert conversation.result.outcome is Outcome.retry, conversation.result.fault
    assert conversation.result.fault.problem == "cannot be written: No space left on device"
    assert conversation.result.fault.where == "export.orders.to, file:///exports/today"
    assert files == ["./today"]
