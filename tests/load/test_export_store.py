"""Exports into an object store: a real server of S3's API, with keys from a connection."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pytest

from etl_contract import SpecError, StageError, Unavailable
from tests._engine import wait_for_port
from tests.load.exporting import Exporting

KEY, SECRET = "AKIAEXAMPLEEXAMPLE", "a/secret+with=signs"
ROWS = pa.table({"n": range(20_000), "text": ["some text"] * 20_000})
TARGET = {"format": "csv", "to": "s3://partner/{start:%Y}/orders.csv", "connection": "store"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start the server on a port of the loopback; give its address."""
    port = 5931
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
    try:
        wait_for_port("127.0.0.1", port)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket(server: str, exporting: Exporting) -> pa.fs.S3FileSystem:
    """Give the store with an empty bucket, which the connection `store` has the keys of."""
    store = pa.fs.S3FileSystem(
        access_key=KEY,
        secret_key=SECRET,
        endpoint_override=server,
        scheme="http",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )
    store.create_dir("partner")
    store.delete_dir_contents("partner")
    _connect(exporting, f"s3://{KEY}:a%2Fsecret%2Bwith%3Dsigns@partner?endpoint_override={server}&scheme=http")
    return store


def _connect(exporting: Exporting, uri: str) -> None:
    folder = exporting.places.connections / "store"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uri").write_text(uri)


def _listed(store: pa.fs.S3FileSystem) -> list[str]:
    found = store.get_file_info(pa.fs.FileSelector("partner/2024", recursive=True, allow_not_found=True))
    return sorted(info.path for info in found)


def _read(store: pa.fs.S3FileSystem, path: str) -> bytes:
    with store.open_input_stream(path) as stream:
        content: bytes = stream.read()
    return content


def test_a_file_and_its_manifest_are_in_the_bucket(exporting: Exporting, bucket: pa.fs.S3FileSystem) -> None:
    """Whole, with nothing else beside them, and the same as on a disk; a run again replaces it."""
    for _ in range(2):
        (export,) = exporting.export(ROWS, TARGET)
    exporting.export(ROWS, {"format": "csv", "to": "orders.csv"})
    manifest: dict[str, Any] = json.loads(_read(bucket, "partner/2024/orders.csv.manifest.json"))

    assert export.uri == "s3://partner/2024/orders.csv"
    assert _listed(bucket) == ["partner/2024/orders.csv", "partner/2024/orders.csv.manifest.json"]
    assert _read(bucket, "partner/2024/orders.csv") == exporting.bytes("orders.csv")
    assert manifest["sha256"] == export.sha256


def test_a_workbook_reaches_the_bucket(exporting: Exporting, bucket: pa.fs.S3FileSystem) -> None:
    """Although it is made on a disk."""
    exporting.export(ROWS, TARGET | {"format": "xlsx"})

    assert _read(bucket, "partner/2024/orders.csv").startswith(b"PK")


def test_a_load_that_fails_leaves_nothing_in_the_bucket(exporting: Exporting, bucket: pa.fs.S3FileSystem) -> None:
    """Half a file is never seen."""
    with pytest.raises(RuntimeError, match="the load failed"):
        exporting.failing(exporting.task(ROWS, TARGET))

    assert _listed(bucket) == []


@pytest.mark.parametrize(
    ("uri", "error", "problem"),
    [
        ("", SpecError, "there is no connection 'store'"),
        ("https://example.org", SpecError, "connection 'store' is of kind 'https'"),
        (f"s3://{KEY}:x@other", SpecError, "connection 'store' is for another bucket"),
        (f"s3://{KEY}:x@partner?regoin=x", SpecError, "connection 'store' has an option 'regoin'"),
        (f"s3://{KEY}:x@partner?endpoint_override=127.0.0.1:9&scheme=http", Unavailable, "cannot be written: "),
    ],
)
def test_a_store_that_cannot_be_reached_is_told(
    exporting: Exporting, uri: str, error: type[StageError], problem: str
) -> None:
    """With what to mend; a secret is in no message."""
    if uri:
        _connect(exporting, uri)

    with pytest.raises(error) as told:
        exporting.export(ROWS, TARGET)

    assert problem in str(told.value)
    assert ":x@" not in str(told.value)


def test_a_bucket_that_is_not_there_is_told(exporting: Exporting, bucket: pa.fs.S3FileSystem) -> None:
    """It is not made by a slip."""
    bucket.delete_dir("partner")

    with pytest.raises(SpecError, match="there is no such bucket"):
        exporting.export(ROWS, TARGET)
