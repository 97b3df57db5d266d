"""A report appears as a whole, or not at all."""

from pathlib import Path

import pytest

from etl_contract import SpecError, Unavailable
from etl_visualize._folder import check_scheme, publish

OLD = {"index.html": b"old", "01-gone.png": b"old"}
NEW = {"index.html": b"new", "01-delay.png": b"new"}


def _content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_a_report_replaces_that_of_an_earlier_try(tmp_path: Path) -> None:
    """Nothing of the earlier one stays, and nothing stands beside the new one."""
    folder = tmp_path / "flights" / "run"
    publish(folder.as_uri(), OLD)
    publish(f"{folder.as_uri()}/", NEW)

    assert _content(folder) == NEW
    assert _names(tmp_path / "flights") == ["run"]


def test_what_a_killed_try_left_is_removed(tmp_path: Path) -> None:
    """A folder half written by a try that was killed does not disturb the next."""
    (tmp_path / ".run.part").mkdir()
    (tmp_path / ".run.part" / "half.png").write_bytes(b"half")
    publish((tmp_path / "run").as_uri(), NEW)

    assert _content(tmp_path / "run") == NEW
    assert _names(tmp_path) == ["run"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A full volume costs the new report, not the old."""
    publish((tmp_path / "run").as_uri(), OLD)
    with pytest.raises(Unavailable, match="cannot be written: File name too long") as caught:
        publish((tmp_path / "run").as_uri(), NEW | {"x" * 300: b""})

    assert caught.value.where == (tmp_path / "run").as_uri()
    assert _content(tmp_path / "run") == OLD
    assert _names(tmp_path) == ["run"]


def test_a_file_system_that_cannot_exchange_still_gets_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS refuses renameat2's exchange; two renames do it there."""
    publish((tmp_path / "run").as_uri(), OLD)
    monkeypatch.setattr("etl_visualize._folder._EXCHANGE", 1 << 20)
    publish((tmp_path / "run").as_uri(), NEW)

    assert _content(tmp_path / "run") == NEW
    assert _names(tmp_path) == ["run"]


def test_others_may_read_a_report(tmp_path: Path) -> None:
    """The api-server serves it as another user."""
    publish((tmp_path / "run").as_uri(), NEW)

    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "run" / "index.html").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("uri", ["s3://reports/flights", "/reports/flights", "file:reports", ""])
def test_only_files_are_written(uri: str) -> None:
    """Another kind of address is refused before any work, by name."""
    with pytest.raises(SpecError, match="a report is written to file:// only") as caught:
        check_scheme(uri)

    assert caught.value.where == f"report_uri {uri}"


def test_an_address_may_hold_any_character(tmp_path: Path) -> None:
    """A run's id has colons and plus signs; the URI escapes what it must."""
    folder = tmp_path / "scheduled__2026-07-02T04:00:00+00:00 é#1"
    publish(folder.as_uri(), NEW)

    assert _content(folder) == NEW
