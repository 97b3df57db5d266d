"""Lists and opens files: those of the inbox, and those of a store that pyarrow.fs knows."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs

from etl_contract import DataError, FilesSource, SpecError, StageError, TakenFile, Unavailable
from etl_contract.s3 import is_refusal, s3
from etl_extract._connection import connection_uri
from etl_extract._document import Document
from etl_extract._faults import shown
from etl_extract._ledger import Taken
from etl_extract._spool import CHUNK, Spool

INBOX = Path("/inbox")
_WILD = frozenset("*?[")
# By how much the clocks of a store and of the warehouse may differ.
_CLOCKS = timedelta(hours=1)


class Listed(NamedTuple):
    """A file as it is listed: its address, path and size, and when it was written."""

    uri: str
    path: str
    bytes: int
    written_at: datetime | None


class Store(ABC):
    """Where files are."""

    @abstractmethod
    def listed(self) -> list[Listed]:
        """List the files that the pattern names, in the order of their names."""

    @abstractmethod
    def taken(self, file: Listed, name: str) -> tuple[Document, TakenFile]:
        """Give a file's document, and what is to be remembered of it."""

    def surely_known(self, file: Listed, known: Taken) -> bool:
        """Say whether a file is certainly the one that was taken, without reading it."""
        del file, known
        return False

    def check(self, files: list[Listed]) -> None:
        """Refuse files that changed while they were read; those that were copied cannot."""
        del files


class Inbox(Store):
    """The inbox: a folder of this machine, which people write to while we read."""

    def __init__(self, source: FilesSource, folder: Path) -> None:
        self._source, self._folder = source, folder

    def listed(self) -> list[Listed]:
        """List the files; a link, which could lead to what is none of its owner's, is refused."""
        found = []
        for folder, folders, names in os.walk(self._folder, followlinks=False):
            folders.sort()
            for name in sorted([*names, *(inner for inner in folders if os.path.islink(f"{folder}/{inner}"))]):  # noqa: PTH114 - os.walk's
                path = Path(folder, name)
                inner = path.relative_to(self._folder).as_posix()
                if not _matches(inner, self._source.files):
                    continue
                if not inner.isprintable():
                    hint = "Give it a name of letters, digits, '-', '_' and '.'."
                    raise DataError(f"the name {shown(inner)} cannot be kept", where="the inbox", hint=hint)
                if path.is_symlink() or not path.is_file():
                    raise DataError(f"{shown(inner)} is no file", where="the inbox", hint="Put the file itself there.")
                about = path.stat()
                found.append(
                    Listed(f"inbox/{inner}", inner, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))
                )
        return sorted(found, key=lambda file: file.path)

    def taken(self, file: Listed, name: str) -> tuple[Document, TakenFile]:
        """Read a file once for its checksum; its rows are read where it is."""
        path = self._folder / file.path
        try:
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            hint = "The stage is tried again."
            raise Unavailable(f"it cannot be read: {error.strerror}", where=file.uri, hint=hint) from error
        document = Document(file.path, lambda: path.open("rb"), origin=file.path)
        return document, TakenFile(source=name, uri=file.uri, bytes=file.bytes, sha256=digest)

    def check(self, files: list[Listed]) -> None:
        """Refuse files that were written to since they were listed."""
        now = {file.path: file for file in self.listed()}
        for file in files:
            if now.get(file.path) != file:
                hint = "The stage is tried again. Put files in under another name first, or with: make put"
                raise Unavailable("it changed while it was read", where=file.uri, hint=hint)


class Remote(Store):
    """A store elsewhere, such as S3; its files are copied while they are read."""

    def __init__(self, source: FilesSource, spool: Spool, where: str, connections: Path) -> None:
        self._source, self._spool, self._where = source, spool, where
        self._scheme, _, self._pattern = source.files.partition("://")
        with _explaining(where):
            self._files = _file_system(source, where, connections)

    def listed(self) -> list[Listed]:
        """List the files below the part of the pattern that is no pattern."""
        parts = self._pattern.split("/")
        fixed = next((index for index, part in enumerate(parts) if _WILD & set(part)), len(parts) - 1)
        selector = pa.fs.FileSelector("/".join(parts[:fixed]), recursive=True, allow_not_found=fixed > 1)
        with _explaining(self._where):
            found = [info for info in self._files.get_file_info(selector) if info.type is pa.fs.FileType.File]
        return [
            Listed(f"{self._scheme}://{info.path}", info.path, info.size, info.mtime)
            for info in sorted(found, key=lambda info: info.path)
            if _matches(info.path, self._pattern)
        ]

    def taken(self, file: Listed, name: str) -> tuple[Document, TakenFile]:
        """Copy a file, and give the copy."""
        opened = partial(self._files.open_input_stream, compression=None)  # else Arrow unpacks what is called .gz
        with _explaining(f"{self._where}, {file.uri}"), opened(file.path) as stream:
            chunks = iter(lambda: stream.read(CHUNK), b"")
            kept = self._spool.keep(chunks, self._source.most_bytes, f"{self._where}, {file.uri}")
        document = Document(file.path.rpartition("/")[2], kept.open, origin=file.uri)
        return document, TakenFile(source=name, uri=file.uri, bytes=kept.size, sha256=kept.sha256)

    def surely_known(self, file: Listed, known: Taken) -> bool:
        """Trust the store's own clock: nobody else sets it."""
        written = file.written_at
        return written is not None and file.bytes == known.bytes and written.astimezone(UTC) < known.taken_at - _CLOCKS


def _matches(path: str, pattern: str) -> bool:
    """Match a path; what begins with a dot is hidden, as for a shell."""
    hidden = any(part.startswith(".") for part in path.split("/"))
    return not (hidden and "/." not in f"/{pattern}") and PurePosixPath(path).full_match(pattern)


def _file_system(source: FilesSource, where: str, connections: Path) -> pa.fs.FileSystem:
    bucket = urlsplit(source.files).netloc
    if source.connection is None:
        return pa.fs.FileSystem.from_uri(f"{source.files.partition('://')[0]}://{bucket}")[0]
    uri = connection_uri(source.connection, where, connections)
    scheme = source.files.partition("://")[0]
    if scheme == "s3":
        return s3(source.connection, uri, bucket, where)
    parts = urlsplit(uri)
    if parts.scheme != scheme:
        hint = f"Its file 'uri' begins with {scheme}://."
        raise SpecError(f"connection '{source.connection}' is of kind '{parts.scheme}'", where=where, hint=hint)
    if parts.hostname and parts.hostname != bucket:
        hint = f"Its file 'uri' is for {parts.hostname}; 'files' asks for {bucket}."
        raise SpecError(f"connection '{source.connection}' is for another bucket", where=where, hint=hint)
    return pa.fs.FileSystem.from_uri(uri)[0]


class _explaining:  # noqa: N801 - reads as a word: with _explaining(where)
    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, pa.ArrowInvalid | OSError):
            raise _told(error, self._where) from error


def _told(error: Exception, where: str) -> StageError:
    """Say what a store says, in an outcome of ours."""
    message = str(error).strip().partition("\n")[0]
    if is_refusal(message):
        return SpecError(f"we may not: {message}", where=where, hint="Check the connection's keys.")
    if isinstance(error, pa.ArrowInvalid | FileNotFoundError) or "NO_SUCH_BUCKET" in message:
        return SpecError(f"there is no such place: {message}", where=where, hint="Correct 'files'.")
    return Unavailable(message, where=where, hint="It is tried again; does the store answer?")


def new_files(store: Store, name: str, known: list[Taken]) -> Iterator[tuple[Listed, Document, TakenFile]]:
    """Give the files that have not been taken, with what is to be remembered of each."""
    by_uri: dict[str, list[Taken]] = {}
    for before in known:
        by_uri.setdefault(before.uri, []).append(before)
    for file in store.listed():
        taken = by_uri.get(file.uri, [])
        if any(store.surely_known(file, before) for before in taken):
            continue
        document, remembered = store.taken(file, name)
        if remembered.sha256 not in {before.sha256 for before in taken}:
            yield file, document, remembered
