"""Offers a secrets volume in a temporary folder, without the need to be root."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from etl_secrets import VOLUMES, Outcome, Vault, init


@dataclass
class Place:
    """A secrets volume and its neighbours, where owners are only noted down."""

    secrets: Path
    volumes: Path
    owners: dict[str, int] = field(default_factory=dict)

    def vault(self, chown: Callable[[Path, int, int], None]) -> Vault:
        """Return a vault whose folders take files from us, though we may not be root."""
        return Vault(self.secrets, chown, folder_mode=0o700)

    def init(self) -> Outcome:
        """Complete the volume."""
        return init(self.vault(self.chown), self.volumes)

    def chown(self, path: Path, user: int, group: int) -> None:
        """Note down to whom a path was given."""
        assert user == group
        self.owners[str(path).replace("/.unfinished-", "/")] = user

    def texts(self) -> dict[str, str]:
        """Return every file there is, by path."""
        return {
            str(path.relative_to(self.secrets)): path.read_text("utf-8")
            for path in sorted(self.secrets.rglob("*"))
            if path.is_file()
        }

    def put(self, path: str, text: str) -> None:
        """Put another text into a file, as a person might."""
        self.forget(path)
        (self.secrets / path).write_text(text, "utf-8")

    def forget(self, path: str) -> None:
        """Delete a file."""
        (self.secrets / path).unlink()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a place where nothing was generated yet."""
    for volume in VOLUMES:
        (tmp_path / "volumes" / volume.name).mkdir(parents=True)
    (tmp_path / "secrets").mkdir()
    return Place(tmp_path / "secrets", tmp_path / "volumes")
