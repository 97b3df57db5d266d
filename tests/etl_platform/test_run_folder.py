"""The folder of a run."""

import re

import pytest

from etl_platform import run_folder


@pytest.mark.parametrize("run_id", ["scheduled__2026-11-23T05:00:00+00:00", "../../etc", "a/b", "ü", "x" * 500, ""])
def test_any_run_has_a_folder_that_is_safe_in_a_path(run_id: str) -> None:
    """No run's id leads out of the volume or over a name's limit."""
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,100}|-[0-9a-f]{8}", run_folder(run_id))


def test_no_two_runs_share_a_folder() -> None:
    """Ids that look alike once they are made safe stay apart."""
    assert run_folder("a/b") != run_folder("a b") != run_folder("a-b")
