"""Offers the policy that ships, a guard before a fake Engine, and a guard before the real one."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from etl_docker_guard._policy import Policy, load_policy
from tests.docker_guard.fake_engine import FakeEngine
from tests.docker_guard.real_engine import SOCKET
from tests.docker_guard.running import POLICY, RunningGuard, settings
from tests.docker_guard.wishes import Wishes

set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    """Speak to the Engine past the guard."""
    with docker.APIClient(f"unix://{SOCKET}", version="1.45", timeout=120) as client:
        yield client


@pytest.fixture
def wishes() -> Wishes:
    """Give the wishes of an installation with the names that ship."""
    return Wishes()


@pytest.fixture(scope="session")
def policy() -> Policy:
    """Load the policy that ships."""
    return load_policy(POLICY, project="etl", tag="local")


@pytest.fixture
def fake_engine(tmp_path: Path) -> Iterator[FakeEngine]:
    """Start an Engine that answers as the test says."""
    with FakeEngine(tmp_path / "engine.sock") as engine:
        yield engine


@pytest.fixture
def guard(fake_engine: FakeEngine, wishes: Wishes, tmp_path: Path) -> Iterator[RunningGuard]:
    """Start a guard before the fake Engine."""
    with RunningGuard(settings(tmp_path, fake_engine.socket, wishes)) as running:
        yield running
