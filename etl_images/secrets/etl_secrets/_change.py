"""Changes secrets: to new ones, to a person's own, and the connections that people add.

What others have read already is believed until it is forgotten: an authority's certificate, a key that saved
connections are encrypted with. So nothing that runs has to stop at the moment of the change.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from etl_secrets._certificates import new_authority, new_server
from etl_secrets._errors import SecretsError
from etl_secrets._init import NEXT, PREVIOUS, Outcome, complete, succeed
from etl_secrets._table import (
    AIRFLOW,
    AUTHORITY,
    CHANNELS,
    FILES,
    LINEAGE,
    POSTGRES,
    ROOT,
    SERVER,
    STAGE,
    VALUES,
    VERIFIER,
    fernet_key,
)
from etl_secrets._vault import FILE_MODE, Vault

TLS_NAMES: Final = ("tls", "authority")
# What labels containers is no secret, and those that run would be nobody's.
OWN: Final = tuple(name for name in VALUES if name != "installation_id")
ROTATED: Final = (*OWN, *TLS_NAMES)
FORGOTTEN: Final = ("authority", "fernet_key")
# What a connection may have: docs/pipelines.md, "Secrets of a connection".
CONNECTION_FILES: Final = ("uri", "token", "username", "password", "headers", "params", "ca.pem")
# These come again with the next start: they are the platform's.
PLATFORMS_OWN: Final = frozenset(Path(file.path).parts[1] for file in FILES if file.path.startswith("connections/"))
LINEAGE_FILES: Final = ("endpoint", "token")
LEAST: Final = 12


def rotate(vault: Vault, volumes: Path, name: str) -> Outcome:
    """Generate a secret anew, and write all of its files."""
    outcome = Outcome()
    with vault.locked():
        _there(vault)
        if name == "tls":
            authority = vault.read(AUTHORITY) or ""
            vault.write(SERVER, new_server(authority), POSTGRES)
            outcome.replaced.append(SERVER)
        elif name == "authority":
            succeed(vault, vault.read(AUTHORITY))
            vault.write(AUTHORITY, new_authority(), ROOT)
            outcome.replaced.append(AUTHORITY)
        else:
            _come(vault, name, VALUES[name]())
        complete(vault, volumes, outcome)
    return outcome


def set_value(vault: Vault, volumes: Path, name: str, value: str) -> Outcome:
    """Write a person's own value into all files of a secret."""
    if problem := _problem(name, value):
        raise SecretsError([f"{name}: {problem}"])
    outcome = Outcome()
    with vault.locked():
        _there(vault)
        _come(vault, name, value)
        complete(vault, volumes, outcome)
    return outcome


def forget(vault: Vault, volumes: Path, name: str) -> Outcome:
    """Believe what was rotated no longer: the authority before this one, or the encryption keys before this one."""
    outcome = Outcome()
    with vault.locked():
        _there(vault)
        if name == "authority":
            vault.remove(PREVIOUS)
        else:
            newest = (vault.read(f"airflow/{name}") or "").partition(",")[0]
            vault.write(f"{NEXT}/{name}", newest, ROOT)
        complete(vault, volumes, outcome)
    return outcome


def connect(vault: Vault, name: str, file: str, text: str) -> None:
    """Write one file of a connection, for the stages that name it."""
    problems = []
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        problems.append(f"'{name}' is no name of a connection: write small letters, digits and _, such as shop")
    if not text.strip():
        problems.append(f"{name}: nothing was given")
    # Not the address itself: a secret may be in it.
    elif file == "uri" and (len(text.split()) != 1 or not re.fullmatch(r"[a-z][a-z0-9+.-]*://.+", text.strip())):
        problems.append(
            f"{name}: what was given is no URI; write one such as postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        )
    elif file == "uri" and _unreadable(text.strip()):
        problems.append(f"{name}: the URI cannot be read; in it, write what is special in a password as %40 for @")
    if problems:
        raise SecretsError(problems)
    with vault.locked():
        vault.write(f"connections/{name}/{file}", text.strip(), STAGE)
        vault.make_folders(f"connections/{name}/{file}", STAGE)
        vault.own(vault.root / f"connections/{name}/{file}", STAGE, FILE_MODE)


def disconnect(vault: Vault, name: str, file: str | None = None) -> list[str]:
    """Delete a connection, or one file of it; name the files that are gone."""
    problems = []
    if name in PLATFORMS_OWN:
        problems.append(f"{name}: is the platform's own connection, which stays")
    elif name not in (there := connections(vault)):
        problems.append(f"there is no connection '{name}' to delete; there are {', '.join(there) or 'none'}")
    elif file is not None and file not in there[name]:
        problems.append(f"{name}: has no {file}; it has {', '.join(there[name])}")
    if problems:
        raise SecretsError(problems)
    with vault.locked():
        gone = [file] if file else connections(vault)[name]
        for part in gone:
            vault.remove(f"connections/{name}/{part}")
        vault.remove_if_empty(f"connections/{name}")
    return gone


def channel(vault: Vault, name: str, text: str) -> None:
    """Write the address of a channel, by which people are told of troubles."""
    problems = []
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        problems.append(f"'{name}' is no name of a channel: write small letters, digits and _, such as mail")
    # Not the address itself: it is the secret.
    if len(text.split()) != 1 or not re.fullmatch(r"[a-z][a-z0-9+.-]*://.+", text.strip()):
        problems.append(f"{CHANNELS}/{name}: what was given is no address; docs/alerts.md has some of each kind")
    if problems:
        raise SecretsError(problems)
    with vault.locked():
        vault.write(f"{CHANNELS}/{name}", text.strip(), AIRFLOW)


def lineage(vault: Vault, name: str, text: str) -> None:
    """Write the address that events of lineage are sent to, or the token that goes with them."""
    given, problems = text.strip(), []
    # Not the text itself: it is the secret.
    if name not in LINEAGE_FILES:
        there = " or ".join(f"{LINEAGE}/{file}" for file in LINEAGE_FILES)
        problems.append(f"'{name}' is nothing that lineage has; write {there}")
    elif name == "token" and not re.fullmatch("[!-~]+", given):
        problems.append(f"{LINEAGE}/token: what was given is no token, which is one word of ASCII")
    elif name == "endpoint" and (not re.fullmatch(r"https?://[^/\s]\S*", given) or _unreadable(given)):
        problems.append(f"{LINEAGE}/endpoint: what was given is no address such as https://HOST/api/v1/lineage")
    if problems:
        raise SecretsError(problems)
    with vault.locked():
        vault.write(f"{LINEAGE}/{name}", given, AIRFLOW)


def connections(vault: Vault) -> dict[str, list[str]]:
    """Name the connections that are there, and the files of each."""
    folder = vault.root / "connections"
    names = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return {path.name: sorted(file.name for file in path.iterdir()) for path in names}


def _there(vault: Vault) -> None:
    if vault.read(AUTHORITY) is None:
        raise SecretsError(["there are no secrets yet; start the platform once, or run `init`"])


def _come(vault: Vault, name: str, value: str) -> None:
    if name == "fernet_key":
        # What is saved is still encrypted with the one before; a rotation that was broken off is gone on with.
        before = vault.read("airflow/fernet_key") or fernet_key()
        value = before if "," in before else f"{value},{before}"
    vault.write(f"{NEXT}/{name}", value, ROOT)


def _problem(name: str, value: str) -> str:
    """Say what is wrong with a value, without the value."""
    if name == "fernet_key":
        try:
            good = len(base64.b64decode(value, altchars=b"-_", validate=True)) == 32  # noqa: PLR2004 - as Fernet has it
        except (binascii.Error, ValueError):
            good = False
        return "" if good else "is no Fernet key: 32 bytes in base64 with - and _"
    if len(value) < LEAST:
        return f"is shorter than {LEAST} characters"
    files = [file for file in FILES if file.value == name]
    if any(file.form not in {"{}", VERIFIER} for file in files):
        return "" if re.fullmatch("[A-Za-z0-9_-]+", value) else "stands in addresses: use letters, digits, - and _ only"
    if not re.fullmatch("[!-~]+", value):
        return "has white space, or letters that are not of ASCII"
    return ""


def _unreadable(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return True
    return not uri.isprintable()
