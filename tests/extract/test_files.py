"""Sources of files: which are taken, when, and what is remembered of them."""

import gzip
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from etl_contract import DataError, NothingToDo, SpecError, TakenFile, Unavailable
from etl_extract.__main__ import extract
from etl_extract._inbox import FilesReader
from tests.extract.reading import Extracting, Read
from tests.extract.server import WebServer


@pytest.fixture
def extracting(tmp_path: Path, warehouse: str) -> Extracting:
    """Read single sources, with the warehouse's ledger."""
    assert warehouse
    return Extracting(tmp_path)


def _commit(warehouse: str, files: tuple[TakenFile, ...], days_ago: float = 0) -> None:
    """Write files into the ledger, as load does with their rows."""
    with psycopg.connect(warehouse) as connection:
        for file in files:
            connection.execute(
                "insert into etl.files (pipeline, source, uri, sha256, bytes, run_id, taken_at) "
                "values ('shop', %s, %s, %s, %s, 'r', %s)",
                (file.source, file.uri, file.sha256, file.bytes, datetime.now(UTC) - timedelta(days=days_ago)),
            )


def _ids(read: Read) -> list[str]:
    return [row["id"] for row in read.rows]


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("*.csv", ["1", "2"]),
        ("a.csv", ["1"]),
        ("2026/*.csv", ["3"]),
        ("**/*.csv", ["3", "1", "2"]),
        ("*/[0-9]*.csv", ["3"]),
        (".*.csv", ["4"]),
    ],
)
def test_a_pattern_names_files_as_a_shell_does(extracting: Extracting, pattern: str, taken: list[str]) -> None:
    """In the order of their names; what begins with a dot is hidden."""
    for number, name in enumerate(["a.csv", "b.csv", "2026/1.csv", ".half.csv", "note.txt"], start=1):
        extracting.put(name, f"id\n{number}\n")

    assert _ids(extracting.read(files=pattern)) == taken


def test_a_file_is_taken_once(extracting: Extracting, warehouse: str) -> None:
    """What was loaded is not taken again; a file with new content is a new file, and so is one of another name."""
    extracting.put("a.csv", "id\n1\n")
    first = extracting.read(files="*.csv")
    again = extracting.read(files="*.csv")
    _commit(warehouse, first.files)

    assert (_ids(first), _ids(again)) == (["1"], ["1"])  # nothing was loaded between them
    with pytest.raises(NothingToDo, match=r"there is no new file like '\*.csv'"):
        extracting.read(files="*.csv")
    extracting.put("b.csv", "id\n1\n")
    extracting.put("a.csv", "id\n2\n")
    assert _ids(extracting.read(files="*.csv")) == ["2", "1"]


def test_a_full_refresh_takes_files_again(extracting: Extracting, warehouse: str) -> None:
    """All that are there; where one that was loaded is not, its rows would be lost, and that is told."""
    extracting.put("a.csv", "id\n1\n")
    _commit(warehouse, extracting.read(files="*.csv").files)
    extracting.put("b.csv", "id\n2\n")
    extracting.full_refresh = True

    assert _ids(extracting.read(files="*.csv")) == ["1", "2"]
    (extracting.inbox / "a.csv").unlink()
    with pytest.raises(DataError, match=r"lose the rows of 1 files that are not there any more: inbox/a\.csv") as error:
        extracting.read(files="*.csv")
    assert "Put them back" in error.value.hint


def test_what_is_remembered_names_the_file(extracting: Extracting) -> None:
    """Address, size and checksum."""
    extracting.put("orders/a.csv", "id\n1\n")

    (file,) = extracting.read(files="orders/*.csv").files

    assert (file.source, file.uri, file.bytes) == ("orders", "inbox/orders/a.csv", 5)
    assert file.sha256 == hashlib.sha256(b"id\n1\n").hexdigest()


def test_a_row_can_tell_its_file(extracting: Extracting) -> None:
    """Also where it came in an archive."""
    extracting.put("a.csv", "id\n1\n")
    extracting.put("b.csv", "id\n2\n")

    read = extracting.read(files="*.csv", file_column="file")

    assert read.rows == [{"id": "1", "file": "a.csv"}, {"id": "2", "file": "b.csv"}]


def test_files_of_a_source_have_the_same_columns(extracting: Extracting) -> None:
    """In any order; what one has and another lacks is told."""
    extracting.put("a.csv", "id,name\n1,x\n")
    extracting.put("b.csv", "name,id\ny,2\n")
    assert extracting.read(files="*.csv").rows == [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}]

    extracting.put("c.csv", "id,nmae\n3,z\n")
    with pytest.raises(DataError) as error:
        extracting.read(files="*.csv")
    assert "c.csv: its columns are not those of the first: it has no 'name'; it also has 'nmae'" in str(error.value)


@pytest.mark.parametrize(
    ("target", "problem"),
    [("/etc/hostname", "is no file"), ("..", "is no file")],
)
def test_a_link_in_the_inbox_is_not_followed(extracting: Extracting, target: str, problem: str) -> None:
    """A link could lead to what its owner may not see."""
    (extracting.inbox / "a.csv").symlink_to(target)

    with pytest.raises(DataError, match=problem):
        extracting.read(files="*.csv")


def test_a_name_that_cannot_be_kept_is_told(extracting: Extracting) -> None:
    """Bytes that are no text, and line ends."""
    for name in (b"\xff.csv", b"a\nb.csv"):
        path = os.fsencode(extracting.inbox) + b"/" + name
        with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(b"id\n1\n")
        with pytest.raises(DataError, match="cannot be kept"):
            extracting.read(files="*.csv")
        os.unlink(path)  # noqa: PTH108 - as above


def test_a_file_that_changes_while_it_is_read_is_not_taken(extracting: Extracting) -> None:
    """The stage is tried again, when it may be whole."""
    extracting.put("a.csv", "id\n1\n")
    task = extracting.task(orders={"files": "a.csv"})
    reader = FilesReader(task, extracting.connections, extracting.inbox)
    with reader.rows("orders", task.spec["orders"]) as rows:
        extracting.put("a.csv", "id\n1\n2\n")
        with pytest.raises(Unavailable, match="it changed while it was read"):
            list(rows.batches)


def test_without_files_the_run_is_skipped_unless_another_source_has_something(
    extracting: Extracting, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the declared columns are there, without rows."""
    monkeypatch.setattr("etl_extract._inbox.INBOX", extracting.inbox)
    orders = {"files": "*.csv", "columns": {"id": "bigint"}}
    with pytest.raises(NothingToDo, match=r"extract\.orders: there is no new file"):
        extract(extracting.task(orders=orders), extracting.connections)

    result = extract(
        extracting.task(orders=orders, rates={"http": web.serve("/r.csv", "a\n1\n")}), extracting.connections
    )

    assert {dataset.name: dataset.rows for dataset in result.datasets} == {"orders": 0, "rates": 1}


@pytest.mark.parametrize(
    ("beside", "read"),
    [
        ({"query": "select * from visits where day >= :start and day < :end"}, {"orders": 0, "visits": 1}),
        ({"table": "visits", "where": "day = :last_day - 400"}, {"orders": 0, "visits": 0}),
        ({"table": "visits", "cursor": "id"}, {"orders": 0, "visits": 2}),
        ({"table": "visits", "cursor": "id", "where": "id > 7"}, None),
        ({"table": "visits"}, None),
        ({"query": "select id, '\\:start' as word from visits"}, None),
    ],
    ids=[
        "interval",
        "an interval without rows",
        "cursor",
        "cursor without rows",
        "whole table",
        "a colon that is none",
    ],
)
def test_without_files_a_database_that_has_something_of_this_run_is_loaded(
    extracting: Extracting,
    source: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    beside: dict[str, str],
    read: dict[str, int] | None,
) -> None:
    """No other run reads this interval; a table that each run reads whole, to look things up, is worth no run."""
    monkeypatch.setattr("etl_extract._inbox.INBOX", extracting.inbox)
    source.execute("create table visits (id int, day date)")
    source.execute("insert into visits values (1, '2026-11-02'), (2, '2026-12-24')")
    task = extracting.task(orders={"files": "*.csv", "columns": {"id": "bigint"}}, visits={"sql": "source"} | beside)

    if read is None:
        with pytest.raises(NothingToDo, match="there is no new file"):
            extract(task, extracting.connections)
        return
    result = extract(task, extracting.connections)

    assert {dataset.name: dataset.rows for dataset in result.datasets} == read


# A store elsewhere ----------------------------------------------------------------------------------------------------


def test_files_of_a_bucket_are_taken_once(extracting: Extracting, bucket: Any, warehouse: str) -> None:  # noqa: ANN401
    """As those of the inbox, by their checksum; what a bucket's own clock proves old is not even copied."""
    bucket.put_object(Key="orders/2026/a.csv", Body=b"id\n1\n")
    bucket.put_object(Key="orders/2026/b.txt", Body=b"no")
    bucket.put_object(Key="other/a.csv", Body=b"no\n1\n")
    source = {"files": "s3://lake/orders/*/*.csv", "connection": "lake", "file_column": "file"}

    first = extracting.read(**source)
    assert first.rows == [{"id": "1", "file": "s3://lake/orders/2026/a.csv"}]

    _commit(warehouse, first.files)
    with pytest.raises(NothingToDo):
        extracting.read(**source)
    bucket.put_object(Key="orders/2026/c.csv", Body=b"id\n3\n")
    assert _ids(extracting.read(**source)) == ["3"]
    with psycopg.connect(warehouse) as connection:
        connection.execute("update etl.files set taken_at = now() + interval '1 day', sha256 = repeat('0', 64)")
    assert _ids(extracting.read(**source)) == ["3"]


def test_a_packed_file_of_a_bucket_is_kept_as_it_is_there(
    extracting: Extracting,
    bucket: Any,  # noqa: ANN401
    warehouse: str,
) -> None:
    """Its size and checksum are those of the store, which needs to be asked for it once; a damaged one is no outage."""
    packed = gzip.compress(b"id\n1\n" * 100)
    bucket.put_object(Key="p/a.csv.gz", Body=packed)
    source = {"files": "s3://lake/p/*.csv.gz", "connection": "lake"}

    (file,) = extracting.read(**source).files

    assert (file.bytes, file.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())
    _commit(warehouse, (file.model_copy(update={"sha256": "0" * 64}),), days_ago=-1)
    with pytest.raises(NothingToDo):
        extracting.read(**source)
    bucket.put_object(Key="p/b.csv.gz", Body=packed[:-9])
    with pytest.raises(DataError, match=r"b\.csv.*: the archive breaks off"):
        extracting.read(**source)


def test_parquet_of_a_bucket_keeps_its_types(extracting: Extracting, bucket: Any) -> None:  # noqa: ANN401
    """Whatever it came over."""
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"id": pa.array([1, None], pa.int16())}), sink)
    bucket.put_object(Key="p/a.parquet", Body=sink.getvalue().to_pybytes())

    read = extracting.read(files="s3://lake/p/*.parquet", connection="lake")

    assert read.table.schema == pa.schema([("id", pa.int16())])
    assert read.rows == [{"id": 1}, {"id": None}]


def test_what_a_store_refuses_is_told_without_its_keys(extracting: Extracting, s3: str) -> None:
    """A bucket that is not there, a connection of another kind or bucket, a server that does not answer."""
    uri = f"s3://AKIA:t0ps3cret@?region=eu-west-1&scheme=http&endpoint_override={s3}"
    away = "s3://AKIA:t0ps3cret@?region=eu-west-1&scheme=http&endpoint_override=127.0.0.1:9"
    for text, kind, problem in (
        (uri, SpecError, "there is no such place"),
        ("https://example.org", SpecError, "connection 'lake' is of kind 'https'"),
        (uri.replace("@?", "@other?"), SpecError, "connection 'lake' is for another bucket"),
        (uri + "&role=x", SpecError, "connection 'lake' has an option 'role'"),
        (away, Unavailable, "does the store answer?"),
    ):
        extracting.connection("lake", uri=text)
        with pytest.raises(kind) as error:
            extracting.read(files="s3://nowhere/*.csv", connection="lake")
        assert problem in str(error.value)
        assert "t0ps3cret" not in str(error.value)


def test_a_refusal_is_told_from_an_outage_whatever_the_files_are_called(extracting: Extracting, web: WebServer) -> None:
    """A server that has a bad day is asked again, also for a file with a number that means a refusal."""
    at = "s3://AKIA:t0ps3cret@lake?region=eu-west-1&scheme=http&endpoint_override="
    extracting.connection("lake", uri=at + web.url.removeprefix("http://"))
    contents = "<Contents><Key>403/ACCESS_DENIED-14031.csv</Key><Size>5</Size></Contents>"
    web.serve("/lake", f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")

    with pytest.raises(Unavailable, match=r"ACCESS_DENIED-14031\.csv.*HTTP status 501"):  # its answer to HEAD
        extracting.read(files="s3://lake/*/*.csv", connection="lake")
    web.serve("/lake", "", 403)
    with pytest.raises(SpecError, match=r"we may not: .*ACCESS_DENIED during ListObjects"):
        extracting.read(files="s3://lake/*/*.csv", connection="lake")
