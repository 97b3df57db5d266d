"""Publishes a report as a whole: a reader meets the report of an earlier try or this one, never a part."""

import ctypes
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from etl_contract import SpecError, Unavailable

_HERE = -100  # AT_FDCWD of <fcntl.h>: paths are as they stand
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)


def check_scheme(report_uri: str) -> None:
    """Refuse an address that this image cannot write to, before any work is done."""
    _path(report_uri)


def publish(report_uri: str, files: Mapping[str, bytes]) -> None:
    """Write the files, and nothing else, as the folder at the URI; what stood there goes in the same instant.

    Raises:
        Unavailable: the folder cannot be written.
    """
    folder = _path(report_uri)
    part = folder.with_name(f".{folder.name}.part")
    with _explaining(report_uri), _removing(part):
        part.mkdir(parents=True)
        for name, content in files.items():
            (part / name).write_bytes(content)
        _swap(part, folder)


def _path(uri: str) -> Path:
    try:
        return Path.from_uri(uri)
    except ValueError:
        hint = "Use file:///reports/..."
        raise SpecError("a report is written to file:// only", where=f"report_uri {uri}", hint=hint) from None


def _swap(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    if renameat2(_HERE, os.fsencode(part), _HERE, os.fsencode(folder), _EXCHANGE) != 0:
        # NFS and older ZFS cannot exchange: there the folder is away for an instant.
        shutil.rmtree(old := part.with_suffix(".old"), ignore_errors=True)
        folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _removing(part: Path) -> Iterator[None]:
    """Leave no trace of a try: neither of one that was killed, nor of this one, nor of the report that it replaced."""
    shutil.rmtree(part, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _explaining(report_uri: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Is there space left on the volume, and may user 10001 write to it?"
        raise Unavailable(f"cannot be written: {error.strerror}", where=report_uri, hint=hint) from error
