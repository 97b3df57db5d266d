"""Dockerfiles: hadolint's findings with their severity."""

from pathlib import Path

from etl_scan import Severity
from etl_scan._dockerfiles import check_dockerfiles

ROOT = Path(__file__).parents[2]


def test_ours_have_nothing_that_fails() -> None:
    """Every Dockerfile of the repository was looked at."""
    outcome = check_dockerfiles(ROOT)

    assert outcome.troubles == ()
    assert [one for one in outcome.findings if one.severity.is_at_least(Severity.medium)] == []
    assert (
        outcome.scope
        == f"{len(list(ROOT.glob('etl_images/**/Dockerfile')) + list(ROOT.glob('tests/**/Dockerfile')))} Dockerfiles"
    )


def test_a_mistake_is_found(tmp_path: Path) -> None:
    """With its file, its line and how bad it is."""
    file = tmp_path / "etl_images" / "own" / "Dockerfile"
    file.parent.mkdir(parents=True)
    file.write_text("FROM debian\nRUN cd /tmp\nENTRYPOINT python\n")

    outcome = check_dockerfiles(tmp_path)

    found = {one.what: one for one in outcome.findings}
    assert found["DL3006"].severity is Severity.medium  # no tag
    assert (found["DL3006"].who, found["DL3006"].where) == ("etl_images/own/Dockerfile", "line 1")
    assert "DL3025" in found  # the shell form
