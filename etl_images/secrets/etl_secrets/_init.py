"""Completes the secrets volume: generates what is missing, and lets every form of a value agree.

A value that is to be another stands in `next` until all of its files have it: a run that is killed is completed by
the next.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from etl_secrets._certificates import certificate_of, issued, lasts, new_authority, new_server
from etl_secrets._errors import SecretsError
from etl_secrets._scram import matches, verifier
from etl_secrets._table import (
    AIRFLOW,
    AUTHORITIES,
    AUTHORITY,
    CHANNELS,
    FILES,
    LINEAGE,
    PAIR,
    ROOT,
    SERVER,
    TLS,
    VALUES,
    VERIFIER,
    VOLUMES,
    File,
)
from etl_secrets._vault import FILE_MODE, Vault

# The certificate of the authority before this one, which is believed until it is forgotten.
PREVIOUS = "authority/previous.pem"
NEXT = "next"
# By its time the guard knows that the platform was started, and with which images (etl_docker_guard/_images.py).
STARTED = "installation/id"


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
        complete(vault, volumes, outcome)
        vault.touch(STARTED)
    return outcome


def complete(vault: Vault, volumes: Path, outcome: Outcome) -> None:
    """Do what init does, in a vault that is locked."""
    texts = {file.path: vault.read(file.path) for file in FILES}
    coming = {name: text for name in VALUES if (text := vault.read(f"{NEXT}/{name}")) is not None}
    known = _known_values(texts, coming)
    for name, generate in VALUES.items():
        files = [file for file in FILES if file.value == name]
        if name not in known and any(texts[file.path] is None for file in files):
            known[name] = generate()
        if name in known:
            for file in files:
                _complete(vault, file, texts[file.path], known[name], outcome)
        vault.remove(f"{NEXT}/{name}")
    _certify(vault, outcome)
    _give(vault, volumes, outcome)


def read_back(file: File, text: str) -> str | None:
    """Return the value that a file's text holds, or None: of a verifier, or where a person wrote something else."""
    if file.form == "{}":
        return text
    if file.form == VERIFIER:
        return None
    if "{}" not in file.form:
        return None
    before, after = file.form.split("{}")
    place, query, rest = after.partition(TLS)
    # Without what asks for TLS it is as older versions wrote it.
    tail = f"{re.escape(place)}(?:{re.escape(query + rest)})?"
    found = re.fullmatch(f"{re.escape(before)}([A-Za-z0-9_-]+){tail}", text)
    return found[1] if found else None


def _known_values(texts: dict[str, str | None], coming: dict[str, str]) -> dict[str, str]:
    """Return the values that stand in files already, or are to; raise with everything that is wrong with them."""
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
        if value is None or file.value in coming:
            continue
        first, other = seen.setdefault(file.value, (file.path, value))
        if value != other:
            problems.append(
                f"{file.path}: has another value of {file.value!r} than {first}; "
                "delete the one that is wrong, and it is derived from the other"
            )
    if problems:
        raise SecretsError(problems)
    return {name: value for name, (_, value) in seen.items()} | coming


def _complete(vault: Vault, file: File, text: str | None, value: str, outcome: Outcome) -> None:
    """Write a file that is missing, or is ours and not as this value has it."""
    if file.form == VERIFIER:
        if text is not None and matches(text, value):
            return
        wanted = verifier(value)
    else:
        wanted = file.form.format(value)
        if text == wanted or (text is not None and read_back(file, text) is None):
            return
    _put(vault, file, text, wanted, outcome)


def _put(vault: Vault, file: File, text: str | None, wanted: str, outcome: Outcome) -> None:
    vault.write(file.path, wanted, file.owner)
    (outcome.created if text is None else outcome.replaced).append(file.path)


def _certify(vault: Vault, outcome: Outcome) -> None:
    """Let there be an authority, whoever connects believe it, and PostgreSQL have a certificate of it."""
    pairs = {file.path: file for file in FILES if file.form == PAIR}
    authority, server = vault.read(AUTHORITY), vault.read(SERVER)
    if authority is None or not lasts(authority):
        succeed(vault, authority)
        fresh = new_authority()
        _put(vault, pairs[AUTHORITY], authority, fresh, outcome)
        authority = fresh
    believed = [certificate_of(authority)]
    previous = vault.read(PREVIOUS)
    if previous is not None and previous not in believed and lasts(previous, timedelta()):
        believed.append(previous)
    for file in FILES:
        # Where a person wrote another system's address, its authority is the person's, too.
        if file.form == AUTHORITIES and _is_ours(vault, file):
            text, wanted = vault.read(file.path), "\n".join(believed)
            if text != wanted:
                _put(vault, file, text, wanted, outcome)
    if server is None or not lasts(server) or not issued(server, authority):
        _put(vault, pairs[SERVER], server, new_server(authority), outcome)


def succeed(vault: Vault, authority: str | None) -> None:
    """Keep the certificate of an authority that is to be followed by another, so that it is still believed."""
    if lasts(authority, timedelta()) and authority is not None:
        vault.write(PREVIOUS, certificate_of(authority), ROOT)


def _is_ours(vault: Vault, file: File) -> bool:
    beside = file.path.replace("ca.pem", "uri")
    uri = next((other for other in FILES if other.path == beside), None)
    text = vault.read(beside)
    return uri is None or text is None or read_back(uri, text) is not None


def _give(vault: Vault, volumes: Path, outcome: Outcome) -> None:
    """Give files, folders and volumes to their owners, where they are not theirs yet."""
    for file in FILES:
        vault.make_folders(file.path, file.owner)
        if (vault.root / file.path).exists() and vault.own(vault.root / file.path, file.owner, FILE_MODE):
            outcome.given.append(file.path)
    for folder in (CHANNELS, LINEAGE):
        vault.make_folders(f"{folder}/any", AIRFLOW)
    for volume in VOLUMES:
        # Only the root: what is inside was made by its owner.
        if vault.own(volumes / volume.name, volume.owner):
            outcome.given.append(volume.name)
