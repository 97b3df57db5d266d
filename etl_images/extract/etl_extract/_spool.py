"""Keeps documents that came over a network on disk while they are read, without a name that could outlive the stage."""

import hashlib
import io
import os
import tempfile
from collections.abc import Buffer, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit

from etl_contract import DataError

CHUNK = 1024 * 1024


class Spool(AbstractContextManager["Spool"]):
    """A file without a name, into which documents are written one after the other."""

    def __init__(self, run_uri: str) -> None:
        parts = urlsplit(run_uri)
        folder = Path(unquote(parts.path)) if parts.scheme == "file" else Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        # The run's folder is on disk; /tmp is memory.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in __exit__
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keep(self, chunks: Iterable[bytes], most: int, name: str) -> "Slice":
        """Write a document; one that is broken off leaves its place to the next.

        Raises:
            DataError: it has more bytes than it may have.
        """
        start = self._end
        self._file.seek(start)
        size, digest = 0, hashlib.sha256()
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            if size > most:
                raise too_large(most, name)
            self._file.write(chunk)
        self._file.flush()
        self._end = start + size
        return Slice(self._file.fileno(), start, size, digest.hexdigest())


class Slice:
    """A document in the spool."""

    def __init__(self, descriptor: int, start: int, size: int, sha256: str) -> None:
        self.size, self.sha256 = size, sha256
        self._descriptor, self._start = descriptor, start

    def open(self) -> BinaryIO:
        """Open it from its first byte; many may be open at once."""
        return io.BufferedReader(_SliceFile(self._descriptor, self._start, self._start + self.size), CHUNK)


class _SliceFile(io.RawIOBase):
    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor, self._start, self._end = descriptor, start, end
        self._at = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        self._at = max(self._start, base + offset)
        return self._at - self._start

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, max(0, min(len(view), self._end - self._at)), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def too_large(most: int, name: str) -> DataError:
    """Say that a document has more bytes than it may have."""
    hint = "If it is meant to be that large, raise 'max_size'."
    return DataError(f"it has more than {most:,} bytes", where=name, hint=hint)
