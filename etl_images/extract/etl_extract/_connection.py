"""Reads a connection's secrets: files of a folder, of which each is one thing."""

import base64
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from etl_contract import SpecError

CONNECTIONS = Path("/run/secrets/connections")
_FILES_HINT = "A connection has a file 'uri', and what it needs of: token, username, password, headers, params, ca.pem."


class Origin(NamedTuple):
    """A server: what a secret may go to, and nowhere else."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, uri: str) -> "Origin":
        """Take the origin of an address."""
        parts = urlsplit(uri)
        return cls(parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443}.get(parts.scheme, 80))


class WebConnection(NamedTuple):
    """What a web server wants to see, and which certificates it is known by."""

    origin: Origin
    headers: dict[str, str]
    params: dict[str, str]
    password: str
    ca: Path | None

    def hide(self, text: str) -> str:
        """Take the secrets out of a text, also as an address would quote them."""
        secrets = {*self.headers.values(), *self.params.values(), self.password}
        secrets |= {secret.rpartition(" ")[2] for secret in secrets}
        for secret in sorted(secrets | {quote(secret, safe="") for secret in secrets}, key=len, reverse=True):
            text = text.replace(secret, "***") if secret else text
        return text


def connection_uri(name: str, where: str, folder: Path = CONNECTIONS) -> str:
    """Read a connection's URI.

    Raises:
        SpecError: there is no such connection.
    """
    return _read(folder / name, "uri") or _missing(name, where)


def web_connection(name: str, where: str, folder: Path = CONNECTIONS) -> WebConnection:
    """Read the connection of a web server.

    Raises:
        SpecError: there is none, or a file of it cannot be understood.
    """
    files = folder / name
    uri = connection_uri(name, where, folder)
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = "Its file 'uri' is an address such as https://api.example.org."
        raise SpecError(f"connection '{name}' is of kind '{parts.scheme}'", where=where, hint=hint)
    headers = _pairs(files, "headers", ":", where)
    user, password = _user(files, parts)
    if token := _read(files, "token"):
        headers["Authorization"] = f"Bearer {token}"
    elif user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    if strange := [key for key, value in headers.items() if not (key + value).isprintable() or not value.isascii()]:
        raise SpecError(
            f"connection '{name}': what goes into '{strange[0]}' is no header", where=where, hint=_FILES_HINT
        )
    ca = files / "ca.pem"
    params = _pairs(files, "params", "=", where)
    return WebConnection(Origin.of(uri), headers, params, password, ca if ca.exists() else None)


def _user(files: Path, parts: SplitResult) -> tuple[str, str]:
    if parts.username:
        return unquote(parts.username), unquote(parts.password or "")
    return _read(files, "username"), _read(files, "password")


def _pairs(files: Path, file: str, sign: str, where: str) -> dict[str, str]:
    """Read lines such as `X-API-Key: secret`."""
    pairs = {}
    for number, line in enumerate(_read(files, file).splitlines(), start=1):
        key, found, value = line.partition(sign)
        if not found or not key.strip():
            problem = f"line {number} of the file '{file}' of connection '{files.name}' has no '{sign}'"
            raise SpecError(problem, where=where, hint=f"Write NAME{sign} VALUE, one a line.")
        pairs[key.strip()] = value.strip()
    return pairs


def _read(files: Path, file: str) -> str:
    try:
        return (files / file).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _missing(name: str, where: str) -> str:
    hint = "Name one that is there; docs/pipelines.md says how to add one."
    raise SpecError(f"there is no connection '{name}'", where=where, hint=hint)
