"""Gives tests a stage with a few orders."""

from pathlib import Path

import pytest

from tests.transform.running import ORDERS, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Give the transform stage of a run that has extracted three orders."""
    return Stage(tmp_path, orders=ORDERS)
