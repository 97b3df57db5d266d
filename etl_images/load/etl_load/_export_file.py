"""Opens the places that exports go to: the volume, or a store of objects; a file appears there whole or not at all."""

import gzip
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, cast

import pyarrow as pa
import pyarrow.fs

from etl_contract import ExportTarget, SpecError, StageError, Unavailable
from etl_contract.parquet import Hashing
from etl_contract.s3 import is_refusal, s3

_DETAIL = re.compile(r"^.*\[errno \d+\] ", re.IGNORECASE)  # what Arrow puts before the system's words


class Places(NamedTuple):
    """Where the volume and the secrets of connections are."""

    volume: str = ExportTarget.volume
    connections: Path = Path("/run/secrets/connections")


class ExportFile:
    """A file on its way: written under a temporary name beside its own, of this run alone."""

    def __init__(self, fs: pa.fs.FileSystem, path: str, where: str, run_id: str, *, compressed: bool) -> None:
        self._fs, self._path, self._where, self._compressed = fs, path, where, compressed
        folder, _, name = path.rpartition("/")
        self._folder = folder
        run = hashlib.sha256(run_id.encode()).hexdigest()[:12]
        self._part = f"{folder}/.{name}.{run}.part"
        self.size = 0
        self.sha256 = ""

    @contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        """Give what takes the file's bytes; its size and checksum are known after."""
        with self._explaining():
            if isinstance(self._fs, pa.fs.LocalFileSystem):  # a store of objects has no folders
                self._fs.create_dir(self._folder, recursive=True)
            sink = Hashing(self._fs.open_output_stream(self._part))
            with sink:
                if self._compressed:
                    # Without name and time, so that the same rows are the same bytes.
                    with gzip.GzipFile("", "wb", 6, cast("IO[bytes]", sink), mtime=0) as packed:
                        yield cast("IO[bytes]", packed)
                else:
                    yield cast("IO[bytes]", sink)
            self.size, self.sha256 = sink.size, sink.sha256.hexdigest()

    @contextmanager
    def scratch(self) -> Iterator[str]:
        """Give a folder for what is too much for memory: beside the file, where that is a disk of ours."""
        if not isinstance(self._fs, pa.fs.LocalFileSystem):
            with tempfile.TemporaryDirectory() as folder:
                yield folder
            return
        folder = f"{self._part}s"
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, manifest: bytes) -> None:
        """Give the file its name, then write the manifest beside it."""
        with self._explaining():
            self._fs.move(self._part, self._path)
            with self._fs.open_output_stream(self._part) as stream:
                stream.write(manifest)
            self._fs.move(self._part, f"{self._path}.manifest.json")

    def abandon(self) -> None:
        """Remove what was written and not published."""
        with suppress(OSError):
            self._fs.delete_file(self._part)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _told(error, self._where) from error


@contextmanager
def open_file(uri: str, where: str, run_id: str, target: ExportTarget, connections: Path) -> Iterator[ExportFile]:
    """Open the place of a file; what is not published by the end leaves no trace."""
    try:
        fs, path = _store(target, uri, where, connections)
    except OSError as error:  # it looks for the bucket's region where no connection says it
        raise _told(error, f"{where}.to, {uri}") from error
    file = ExportFile(fs, path, f"{where}.to, {uri}", run_id, compressed=target.compressed)
    try:
        yield file
    finally:
        file.abandon()


def _store(target: ExportTarget, uri: str, where: str, connections: Path) -> tuple[pa.fs.FileSystem, str]:
    if not target.remote:
        return pa.fs.LocalFileSystem(), Path.from_uri(uri).as_posix()
    scheme, _, path = uri.partition("://")
    if target.connection is None:
        return pa.fs.FileSystem.from_uri(f"{scheme}://{path.partition('/')[0]}")[0], path
    return _s3(target.connection, path.partition("/")[0], where, connections), path


def _s3(connection: str, bucket: str, where: str, connections: Path) -> pa.fs.FileSystem:
    try:
        address = (connections / connection / "uri").read_text(encoding="utf-8").strip()
    except OSError:
        hint = "Name one that is there; docs/pipelines.md says how to add one."
        raise SpecError(f"there is no connection '{connection}'", where=where, hint=hint) from None
    return s3(connection, address, bucket, where)


def _told(error: OSError, where: str) -> StageError:
    """Say what the disk or the store says, in an outcome of ours."""
    said = (error.strerror or str(error)).strip().partition("\n")[0]
    message = _DETAIL.sub("", said)
    if is_refusal(message):
        return SpecError(f"we may not: {message}", where=where, hint="Check the connection's keys.")
    if "NO_SUCH_BUCKET" in message or "NoSuchBucket" in message:
        return SpecError(f"there is no such bucket: {message}", where=where, hint="Correct 'to', or make the bucket.")
    hint = "It is tried again. Is there space left, and may user 10001 write there?"
    return Unavailable(f"cannot be written: {message}", where=where, hint=hint)
