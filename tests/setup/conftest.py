"""Gives the scripts of setup/ a folder and a PATH of their own."""

import shutil
from pathlib import Path

import pytest

from tests.setup.project import ROOT, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a copy of the scripts."""
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    shutil.copytree(ROOT / "etl_images" / "upstream", tmp_path / "etl_images" / "upstream")
    shutil.copy(ROOT / ".env.example", tmp_path)
    return Project(tmp_path)
