"""The one stack that all end-to-end tests share."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack

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


@pytest.fixture(scope="module")
def host(stack: Stack) -> Iterator[str]:
    """Give the address where the notifier's way out finds us."""
    network, us = f"{stack.project}_alerts", socket.gethostname()
    with ExitStack() as until_the_end:
        if stack.docker("ps", "--quiet", "--filter", f"id={us}", check=False).strip():
            stack.docker("network", "connect", network, us, check=False)
            until_the_end.callback(stack.docker, "network", "disconnect", "--force", network, us)
            form = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
            yield stack.docker("inspect", "--format", form, us).strip()
        else:
            form = "{{(index .IPAM.Config 0).Gateway}}"
            yield stack.docker("network", "inspect", "--format", form, network).strip()
