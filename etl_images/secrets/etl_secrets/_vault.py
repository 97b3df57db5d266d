"""Keeps files in the secrets volume: whole or not at all, each its owner's alone."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".unfinished-"
FILE_MODE = 0o400


class Vault:
    """Reads and writes secrets below a root; whoever is not root passes a `chown` and `folder_mode` of their own."""

    def __init__(
        self, root: Path, chown: Callable[[Path, int, int], None] = os.chown, folder_mode: int = 0o500
    ) -> None:
        self.root = root
        self._chown = chown
        self._folder_mode = folder_mode

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second writer waiting, and clear away what a killed one left unfinished."""
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for leftover in self.root.rglob(f"{UNFINISHED}*"):
                leftover.unlink()
            yield
        finally:
            os.close(handle)

    def read(self, path: str) -> str | None:
        """Return a secret's text exactly as it is, or None where there is none."""
        try:
            return (self.root / path).read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None

    def write(self, path: str, text: str, owner: int) -> None:
        """Write a secret: after a crash at any point the file has all of the text, or is not there."""
        target = self.root / path
        self.make_folders(path, owner)
        unfinished = target.with_name(f"{UNFINISHED}{target.name}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, text.encode("utf-8"))
            os.fsync(handle)
        finally:
            os.close(handle)
        self.own(unfinished, owner, FILE_MODE)
        unfinished.rename(target)
        self._sync(target.parent)

    def touch(self, path: str) -> None:
        """Let a secret look as if it were written now."""
        os.utime(self.root / path)

    def remove(self, path: str) -> None:
        """Remove a secret, if it is there."""
        (self.root / path).unlink(missing_ok=True)

    def remove_if_empty(self, folder: str) -> None:
        """Remove a folder that has no secret any more."""
        with suppress(OSError):  # it has one
            (self.root / folder).rmdir()

    def make_folders(self, path: str, owner: int) -> None:
        """Make the folders of a path, and give them to their owner."""
        for parent in reversed(Path(path).parents[:-1]):
            folder = self.root / parent
            folder.mkdir(mode=self._folder_mode, exist_ok=True)
            self.own(folder, owner, self._folder_mode)

    def own(self, path: Path, owner: int, mode: int | None = None) -> bool:
        """Set owner and mode where they are not right yet; tell whether anything was wrong."""
        status = path.lstat()
        wrong_mode = mode is not None and stat.S_IMODE(status.st_mode) != mode
        wrong_owner = (status.st_uid, status.st_gid) != (owner, owner)
        if wrong_mode and mode is not None:
            path.chmod(mode)
        if wrong_owner:
            self._chown(path, owner, owner)
        return wrong_mode or wrong_owner

    @staticmethod
    def _sync(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
