"""The one stack that all end-to-end tests share."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests._stack import ROOT, Stack
from tests.e2e.slow import PYTHON, YAML

PIPELINES = ROOT / ".cache" / "e2e" / "pipelines"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Give a running stack with our own pipelines; set ETL_TEST_KEEP=1 to find it running the next time."""
    PIPELINES.mkdir(parents=True, exist_ok=True)
    for file in PIPELINES.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    for file in (ROOT / "config" / "pipelines").glob("flights.*"):
        shutil.copy(file, PIPELINES)
    stack = Stack(PIPELINES)
    keep = os.environ.get("ETL_TEST_KEEP") == "1"
    try:
        if not keep:
            stack.stop()
        stack.start()
        yield stack
    finally:
        stack.api.close()
        if not keep:
            stack.stop()


@pytest.fixture(scope="session")
def slow(stack: Stack) -> Iterator[str]:
    """Give a pipeline whose transform takes eight seconds."""
    with stack.pipeline("slow", {"slow.yaml": YAML, "slow.py": PYTHON.replace("SECONDS", "8")}) as name:
        yield name
