"""What `make usage` tells of tries, and which limits it proposes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from etl_contract import StageName
from etl_platform import Pipeline, StageLimits, read_pipeline
from etl_platform._ending import EndState
from etl_platform._usage import Try, proposed, usage_of

MIB = 1024**2
YAML = """\
extract: {orders: {sql: source, table: orders}}
load: {orders: {table: mart.orders, mode: replace}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a pipeline `orders` of two stages, 512m each."""
    (tmp_path / "orders.yaml").write_text(YAML)
    return tmp_path


@pytest.fixture
def orders(folder: Path) -> Pipeline:
    """Give the pipeline."""
    pipeline = read_pipeline(folder / "orders.yaml")
    assert isinstance(pipeline, Pipeline)
    return pipeline


def _try(peak: int | None = 100, limit: int = 512, state: str = "success", **other: Any) -> Try:  # noqa: ANN401
    """Give a try of load; sizes in MiB."""
    fields = {
        "pipeline": "orders",
        "stage": StageName.load,
        "state": EndState(state),
        "seconds": 2.0,
        "cpu_seconds": 1.0,
        "peak_memory": peak and peak * MIB,
        "memory_limit": limit * MIB,
        "minutes": 60,
    }
    return Try.model_validate(fields | other)


KILLED = _try(512, state="out_of_memory", cpu_seconds=None)
STOPPED = _try(None, state="timed_out", seconds=3600, cpu_seconds=None)
# What there is: tries of load, whose limits are 512m and 60 minutes; what is proposed.
PROPOSALS: dict[str, tuple[list[Try], dict[str, str | int]]] = {
    "no try": ([], {}),
    "it fits": ([_try(300)] * 30, {}),
    "it is near": ([_try(100)] * 29 + [_try(450)], {"memory": "640m"}),
    "it is far below": ([_try(100)] * 5, {"memory": "160m"}),
    "it is far below, but few know": ([_try(100)] * 4, {}),
    "it is tiny, but Python is not": ([_try(20)] * 9, {"memory": "128m"}),
    "it was killed": ([_try(100), KILLED], {"memory": "1g"}),
    "it was killed under a smaller limit": ([_try(256, 256, "out_of_memory")], {}),
    "it was killed, and did with more": ([KILLED, _try(300, 1024)], {}),
    "it was killed, and did with the same": ([KILLED, _try(300, 512)], {"memory": "1g"}),
    "it takes gigabytes": ([_try(2500, 512)], {"memory": "3584m"}),
    "it was stopped": ([STOPPED], {"minutes": 120}),
    "it was stopped, and did with more": ([STOPPED, _try(300, minutes=90)], {}),
    "it took nearly as long as it may": ([_try(300, seconds=57 * 60)], {"minutes": 80}),
    "it may take a day at most": ([_try(300, seconds=23 * 3600)], {"minutes": 24 * 60}),
    "it failed before it said anything": ([_try(None, state="failed", cpu_seconds=None)] * 9, {}),
}


@pytest.mark.parametrize("name", PROPOSALS)
def test_a_limit_is_proposed_where_another_would_fit_better(orders: Pipeline, name: str) -> None:
    """With a third of room, rounded as a person would; a kill counts until a larger limit was seen to do."""
    tries, expected = PROPOSALS[name]

    found = proposed(usage_of(orders, tries))

    assert {field: each.value for field, each in found.get("load", {}).items()} == expected
    assert found.keys() <= {"load"}
    for field, each in found.get("load", {}).items():
        StageLimits.model_validate({field: each.value})


def test_one_try_in_twenty_may_be_above_p95(orders: Pipeline) -> None:
    """The most and p95 are of the peaks that are known, in bytes."""
    (_, load) = usage_of(orders, [*(_try(size) for size in range(1, 101)), _try(None, state="killed")])

    assert (load.most, load.usual) == (100 * MIB, 95 * MIB)
    assert load.share == 100 / 512


def _usage(folder: Path, tries: list[Try], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "etl_platform", "usage", "--folder", str(folder), *words]
    lines = "\n".join(each.model_dump_json() for each in tries)
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=False)


def test_people_read_a_row_a_stage_and_what_to_write(folder: Path) -> None:
    """Limits stand beside what was taken, in the file's own words, and each proposal with its reason."""
    done = _usage(folder, [*[_try(100)] * 28, KILLED, STOPPED])

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "                          memory                      seconds                     ended by",
        "pipeline  stage    tries    most   p95  limit  of it    usual    most  computing    memory  time  else",
        "orders    extract      0                 512m",
        "          load        30    512m  100m   512m   100%      2.0  3600.0        1.0         1     1     -",
        "",
        "These limits leave a third above the most that was taken:",
        "  config/pipelines/orders.yaml",
        "    limits: {load: {memory: 1g, minutes: 120}}",
        "      load 1 try was killed at 512m",
        "      load 1 try was stopped after 60 minutes",
    ]


def test_it_reads_well_before_the_first_run(folder: Path) -> None:
    """Limits are there, and a sentence says why nothing else is; a broken file says what to do."""
    (folder / "wrong.yaml").write_text("extract: {}\n")

    done = _usage(folder, [])

    assert done.returncode == 0
    assert done.stdout.splitlines()[2:] == [
        "orders    extract      0                512m",
        "          load         0                512m",
        "wrong     has problems: make check PIPELINE=wrong",
        "",
        "No stage has run yet.",
    ]


def test_limits_that_fit_are_said_to(folder: Path) -> None:
    """Nothing is proposed for the sake of it."""
    assert _usage(folder, [_try(300)]).stdout.splitlines()[-1] == (
        "Every limit leaves room, and none is far above what was taken."
    )


def test_programs_read_json(folder: Path) -> None:
    """Bytes, seconds and shares as numbers, and the proposals as the file takes them."""
    done = _usage(folder, [*[_try(100)] * 5, KILLED], "--json", "orders")

    ((extract, load),) = (pipeline["stages"] for pipeline in json.loads(done.stdout))
    assert (extract["tries"], extract["peak_memory"]["max"], extract["proposed"]) == (0, None, {})
    assert load["states"] == {"success": 5, "out_of_memory": 1}
    assert load["peak_memory"] == {"max": 512 * MIB, "p95": 512 * MIB, "share": 1.0}
    assert load["proposed"] == {"memory": "1g"}
    assert load["reasons"] == {"memory": "1 try was killed at 512m"}


def test_a_pipeline_that_is_none_is_told(folder: Path) -> None:
    """With a guess, and an exit code of its own."""
    done = _usage(folder, [], "order")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no config/pipelines/order.yaml; did you mean 'orders'?" in done.stderr
