"""Datasets on disk."""

from pathlib import Path

import pyarrow as pa
import pytest

from etl_contract import DataError, Unavailable
from etl_contract.parquet import columns_of, reading, writing

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, ""]})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A dataset describes its file, and its rows come back as they were."""
    with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
        writer.write(TABLE)
        writer.write(TABLE.to_batches()[0])
        dataset = writer.finish()

    assert dataset.rows == 6
    assert dataset.bytes == (tmp_path / "orders.parquet").stat().st_size
    assert columns_of([dataset]) == {"orders": (("id", "int64"), ("name", "string"))}
    with reading(dataset) as parquet:
        assert parquet.read() == pa.concat_tables([TABLE, TABLE])


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """Half a file is never found under the dataset's name, nor anywhere."""

    def fail() -> None:
        with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
            writer.write(TABLE)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_a_failure_after_the_end_is_told_as_it_is(tmp_path: Path) -> None:
    """A dataset that is finished stays when another one of the same step fails."""

    def fail() -> None:
        with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
            writer.finish()
            raise RuntimeError("another one failed")

    with pytest.raises(RuntimeError, match="another one failed"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["orders.parquet"]


def test_a_retry_writes_over_what_a_killed_try_left(tmp_path: Path) -> None:
    """The temporary file of a killed process is in nobody's way."""
    (tmp_path / "orders.parquet.part").write_bytes(b"half a file")
    (tmp_path / "orders.parquet").write_bytes(b"an older one")

    with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
        writer.write(TABLE)
        dataset = writer.finish()

    with reading(dataset) as parquet:
        assert parquet.read() == TABLE
    assert [file.name for file in tmp_path.iterdir()] == ["orders.parquet"]


@pytest.mark.parametrize("link", ["the file", "its folder"])
def test_a_link_to_elsewhere_is_not_read(tmp_path: Path, link: str) -> None:
    """What a stage before left in the place of its file is not followed, and nothing is said of what is there."""
    with writing((tmp_path / "other").as_uri(), "orders", TABLE.schema) as writer:
        writer.write(TABLE)
        dataset = writer.finish()
    run = tmp_path / "run"
    if link == "the file":
        run.mkdir()
        (run / "orders.parquet").symlink_to(tmp_path / "other" / "orders.parquet")
    else:
        run.symlink_to(tmp_path / "other")
    linked = dataset.model_copy(update={"uri": f"{run.as_uri()}/orders.parquet"})

    with pytest.raises(DataError, match="the file is a link to elsewhere") as caught, reading(linked):
        pass
    assert dataset.sha256 not in str(caught.value)


def test_a_changed_file_is_not_read(tmp_path: Path) -> None:
    """A byte that changed on disk fails the stage before a row is taken."""
    with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
        writer.write(TABLE)
        dataset = writer.finish()
    file = tmp_path / "orders.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)

    with pytest.raises(DataError, match="checksum"), reading(dataset):
        pass


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """A run's folder that was cleaned away is worth a word."""
    with writing(tmp_path.as_uri(), "orders", TABLE.schema) as writer:
        dataset = writer.finish()
    (tmp_path / "orders.parquet").unlink()

    with pytest.raises(Unavailable, match="Clear the stage that writes it"), reading(dataset):
        pass


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    """Each group costs its reader some memory, so that many would make memory grow with the data."""
    rows = pa.table({"id": range(1_000)})
    with writing(tmp_path.as_uri(), "orders", rows.schema) as writer:
        for _ in range(100):
            writer.write(rows)
        dataset = writer.finish()

    with reading(dataset) as parquet:
        groups = [parquet.metadata.row_group(index).num_rows for index in range(parquet.num_row_groups)]
        assert groups == [65_000, 35_000]
        assert parquet.read() == pa.concat_tables([rows] * 100)


def test_wide_rows_make_small_row_groups(tmp_path: Path) -> None:
    """What waits to be written is bound by its bytes, too."""
    rows = pa.table({"text": ["x" * 1_000_000] * 10})
    with writing(tmp_path.as_uri(), "texts", rows.schema) as writer:
        for _ in range(6):
            writer.write(rows)
        dataset = writer.finish()

    with reading(dataset) as parquet:
        assert parquet.num_row_groups == 3
