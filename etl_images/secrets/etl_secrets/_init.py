"""Completes the secrets volume: generates what is missing, and lets every form of a value agree."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from etl_secrets._errors import SecretsError
from etl_secrets._scram import matches, verifier
from etl_secrets._table import FILES, VALUES, VERIFIER, VOLUMES, File
from etl_secrets._vault import FILE_MODE, Vault


@dataclass
class Outcome:
    """Counts what a run of init did, by path."""

    created: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in one line."""
        kept = len(FILES) - len(self.created) - len(self.replaced)
        return (
            f"{len(FILES)} secrets: {len(self.created)} created, {len(self.replaced)} replaced, {kept} kept; "
            f"{len(self.given)} owners or modes set right"
        )


def init(vault: Vault, volumes: Path) -> Outcome:
    """Generate every missing secret, and give every file, folder and volume to its owner.

    Raises SecretsError, before anything is written, where a person must look first.
    """
    missing = [
        f"{place}: not mounted; mount the volume {place.name} there"
        for place in (vault.root, *(volumes / volume.name for volume in VOLUMES))
        if not place.is_dir()
    ]
    if missing:
        raise SecretsError(missing)
    outcome = Outcome()
    with vault.locked():
        texts = {file.path: vault.read(file.path) for file in FILES}
        known = _known_values(texts)
        for name, generate in VALUES.items():
            files = [file for file in FILES if file.value == name]
            if name not in known and any(texts[file.path] is None for file in files):
                known[name] = generate()
            if name in known:
                for file in files:
                    _complete(vault, file, texts[file.path], known[name], outcome)
        _give(vault, volumes, outcome)
    return outcome


def read_back(file: File, text: str) -> str | None:
    """Return the value that a file's text holds, or None: of a verifier, or where a person wrote something else."""
    if file.form == "{}":
        return text
    if file.form == VERIFIER:
        return None
    before, after = (re.escape(part) for part in file.form.split("{}"))
    found = re.fullmatch(f"{before}([A-Za-z0-9_-]+){after}", text)
    return found[1] if found else None


def _known_values(texts: dict[str, str | None]) -> dict[str, str]:
    """Return the values that stand in files already, or raise with everything that is wrong with them."""
    problems: list[str] = []
    seen: dict[str, tuple[str, str]] = {}
    for file in FILES:
        text = texts[file.path]
        if text is None:
            continue
        if not text or text != text.strip():
            what = "begins or ends with white space" if text else "is empty"
            problems.append(f"{file.path}: {what}; delete it, and it is generated or derived anew")
            continue
        value = read_back(file, text)
        if value is None:
            continue
        first, other = seen.setdefault(file.value, (file.path, value))
        if value != other:
            problems.append(
                f"{file.path}: has another value of {file.value!r} than {first}; "
                "delete the one that is wrong, and it is derived from the other"
            )
    if problems:
        raise SecretsError(problems)
    return {name: value for name, (_, value) in seen.items()}


def _complete(vault: Vault, file: File, text: str | None, value: str, outcome: Outcome) -> None:
    """Write a file that is missing, and a verifier that is not one of the value."""
    if file.form == VERIFIER and text is not None and not matches(text, value):
        # Roles take their verifiers over at every start, so that following the password is always right.
        vault.write(file.path, verifier(value), file.owner)
        outcome.replaced.append(file.path)
    elif text is None:
        vault.write(file.path, verifier(value) if file.form == VERIFIER else file.form.format(value), file.owner)
        outcome.created.append(file.path)


def _give(vault: Vault, volumes: Path, outcome: Outcome) -> None:
    """Give files, folders and volumes to their owners, where they are not theirs yet."""
    for file in FILES:
        vault.make_folders(file.path, file.owner)
        if vault.own(vault.root / file.path, file.owner, FILE_MODE):
            outcome.given.append(file.path)
    for volume in VOLUMES:
        # Only the root: what is inside was made by its owner.
        if vault.own(volumes / volume.name, volume.owner):
            outcome.given.append(volume.name)
