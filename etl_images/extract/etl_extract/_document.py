"""Opens documents: what a folder or a server gave, taken out of gzip and zip, within its size limit."""

import fnmatch
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Buffer, Callable, Iterator
from typing import IO, BinaryIO, NamedTuple, Protocol

import structlog

from etl_contract import DataError, DocumentSource, Format
from etl_extract._faults import shown
from etl_extract._spool import CHUNK, Spool, too_large

_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_MOST_MEMBERS = 10_000
_MOST_LAYERS = 2
# What macOS and Windows put into archives beside the files.
_LITTER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")

log = structlog.get_logger()


class Closing(Protocol):
    """Has something open."""

    def close(self) -> None:
        """Close it."""


class Document(NamedTuple):
    """A document: how messages call it, and how it is opened from its first byte.

    `seekable` says whether one can move in it, `origin` which file it came from.
    """

    name: str
    open: Callable[[], BinaryIO]
    seekable: bool = True
    origin: str = ""


def unpacked(document: Document, source: DocumentSource, layer: int = 0) -> Iterator[Document]:
    """Give the documents that are in one: itself, or what it has packed, by its first bytes and not by its name.

    Raises:
        DataError: an archive is damaged, too large, encrypted, or plays tricks with names.
    """
    with document.open() as file, _explaining(document.name):
        head = file.read(len(_ZIP[0]))
    if head.startswith(_GZIP) and layer < _MOST_LAYERS:
        name = re.sub(r"\.gz$", "", document.name)
        limited = document._replace(
            name=name, open=lambda: _gunzipped(document, source.most_bytes, name), seekable=False
        )
        yield from unpacked(limited, source, layer + 1)
    elif head.startswith(_ZIP) and not (source.form is Format.xlsx and _is_workbook(document)):
        if layer:
            hint = "Pack the files once."
            raise DataError("it is an archive in an archive", where=document.name, hint=hint)
        for member in _members(document, source):
            yield from unpacked(member, source, layer + 1)
    else:
        yield document


def seekable(document: Document, spool: Spool, most: int) -> Document:
    """Give the document as one that can be moved in."""
    if document.seekable:
        return document
    with document.open() as file:
        return document._replace(
            open=spool.keep(iter(lambda: file.read(CHUNK), b""), most, document.name).open, seekable=True
        )


def refuse_page(document: Document, form: Format) -> None:
    """Refuse a page for people where data should be.

    Raises:
        DataError: gives the page's title.
    """
    with document.open() as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not re.match(rb"<(!doctype\s+html|html)\b", head, re.IGNORECASE):
        return
    title = re.search(rb"<title[^>]*>\s*(.*?)\s*</title>", head, re.IGNORECASE | re.DOTALL)
    named = f" with the title {shown(title[1].decode('utf-8', 'replace'))}" if title else ""
    hint = "Open the address in a browser: it may want a login, or have moved."
    raise DataError(f"it is an HTML page{named} where {form.value} should be", where=document.name, hint=hint)


def _gunzipped(document: Document, most: int, name: str) -> BinaryIO:
    packed = document.open()
    return _limited(gzip.GzipFile(fileobj=packed, mode="rb"), most, name, packed)


def _is_workbook(document: Document) -> bool:
    if not document.seekable:
        return True  # it came out of an archive
    with document.open() as file, _explaining(document.name), zipfile.ZipFile(file) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _members(document: Document, source: DocumentSource) -> Iterator[Document]:
    with document.open() as file, _explaining(document.name), zipfile.ZipFile(file) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        _refuse_tricks(entry, document.name)
    names = [entry.filename for entry in entries]
    if len(names) > _MOST_MEMBERS:
        raise DataError(f"it has {len(names):,} files", where=document.name, hint="Use several archives.")
    if twice := next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None:
        raise DataError(f"it has two files named {shown(twice)}", where=document.name, hint="Pack it anew.")
    wanted = [entry for entry in entries if not _LITTER.search(entry.filename)]
    if source.member is not None:
        wanted = [entry for entry in wanted if fnmatch.fnmatchcase(entry.filename, source.member)]
    if len(wanted) < len(entries):
        log.info(f"reading {len(wanted)} of the {len(entries)} files of {document.name}")
    if not wanted:
        has = ", ".join(map(shown, names[:5])) or "none"
        asked = f" like '{source.member}'" if source.member else ""
        raise DataError(f"it has no file{asked}; it has {has}", where=document.name, hint="Correct 'member'.")
    if sum(entry.file_size for entry in wanted) > source.most_bytes:
        raise too_large(source.most_bytes, f"{document.name}, unpacked")
    for entry in wanted:
        name = f"{document.name}/{entry.filename}"
        opened = _opening(document, entry.filename, source.most_bytes, name)
        yield document._replace(name=name, open=opened, seekable=False)


def _opening(document: Document, member: str, most: int, name: str) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        with _explaining(name):
            packed = document.open()
            archive = zipfile.ZipFile(packed)
            return _limited(archive.open(member), most, name, archive, packed)

    return opened


def _refuse_tricks(entry: zipfile.ZipInfo, archive: str) -> None:
    # zipfile has cut the name at a NUL already, and made slashes of backslashes only on Windows.
    name = entry.orig_filename
    parts = re.split(r"[/\\]", name)
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name) or not name.isprintable():
        hint = "Somebody made it by hand: ask where it is from, and pack it anew."
        raise DataError(f"the name {shown(name)} in it leads out of it", where=archive, hint=hint)
    if entry.flag_bits & 1:
        raise DataError(f"{shown(name)} in it is encrypted", where=archive, hint="Pack it without a password.")


class _Limited(io.RawIOBase):
    """Reads what is unpacked, up to a limit, and says in our words when it is damaged."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, most: int, name: str, *below: Closing) -> None:
        self._file, self._most, self._name, self._below = file, most, name, below
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        with _explaining(self._name):
            data = self._file.read(len(view))
        self._size += len(data)
        if self._size > self._most:
            raise too_large(self._most, f"{self._name}, unpacked")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for file in (self._file, *self._below):
                file.close()
        super().close()


def _limited(file: IO[bytes] | gzip.GzipFile, most: int, name: str, *below: Closing) -> BinaryIO:
    """Read what is unpacked; with it is closed what it came from, which neither gzip nor zipfile does."""
    return io.BufferedReader(_Limited(file, most, name, *below), CHUNK)


class _explaining:  # noqa: N801 - reads as a word: with _explaining(name)
    """Says what is wrong with an archive; a class, since a generator would cost each read of a large one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        hint = "It was not copied whole, or not made whole: copy or make it anew."
        match error:
            case EOFError():
                raise DataError("the archive breaks off", where=self._name, hint=hint) from error
            case gzip.BadGzipFile() | zlib.error() | zipfile.BadZipFile():
                raise DataError(f"the archive is damaged: {error}", where=self._name, hint=hint) from error
            case NotImplementedError():
                raise DataError(
                    f"the archive cannot be read: {error}", where=self._name, hint="Use deflate."
                ) from error
