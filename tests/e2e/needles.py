"""Finds secrets in whatever bytes there are: as they are, and as programs write them.

secrets_of: every file of the volume `secrets` ──► what in it is secret ──► forms ──► search
"""

import base64
import io
import json
import re
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, urlsplit

from ahocorasick_rs import BytesAhoCorasick

from tests._stack import Stack

# What labels containers is no secret: docs/operations.md, "Secrets".
NO_SECRETS = {"airflow/installation_id", "installation/id"}
_SHORTEST = 12

Part = tuple[str, bytes]


class Hit(NamedTuple):
    """Says which secret stands where, and in which form."""

    secret: str
    form: str
    place: str


def secrets_of(stack: Stack) -> dict[str, str]:
    """Give what is secret in the files of the volume, each with the name of a file that has it."""
    volume = ["--volume", f"{stack.project}_secrets:/secrets:ro", "--user", "0", "--network", "none"]
    packed = subprocess.run(
        ["docker", "run", "--rm", *volume, "--entrypoint", "tar", image(stack, "secrets"), "-C", "/secrets", "-c", "."],
        capture_output=True,
        check=True,
    ).stdout
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for entry in archive:
            if file := archive.extractfile(entry):
                path = entry.name.removeprefix("./")
                for part in secret_parts(path, file.read().decode()):
                    assert len(part) >= _SHORTEST, f"{path} is too short to be searched for"
                    found.setdefault(part, path)
    return found


def image(stack: Stack, name: str) -> str:
    """Name one of the stack's images."""
    return f"etl-platform/{name}:{stack.tag}"


def secret_parts(path: str, text: str) -> list[str]:
    """Give what is secret in a file: of a URI its password, of a key and its certificate the key's lines."""
    name = Path(path).name
    parts = [text]
    if path in NO_SECRETS or ("CERTIFICATE" in text and "PRIVATE" not in text):
        parts = []
    elif "PRIVATE KEY" in text:
        (key,) = re.findall(r"BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)-----END", text, re.DOTALL)
        parts = [line for line in key.splitlines() if len(line) >= _SHORTEST]
    elif name in {"headers", "params"}:
        parts = [re.split("[:=]", line, maxsplit=1)[1].strip() for line in text.splitlines()]
    elif text.startswith("SCRAM-SHA-256$"):
        parts = [text, *text.rpartition("$")[2].split(":")]
    elif "://" in text:
        password = urlsplit(text).password or ""
        parts = sorted({password, unquote(password)} - {""})
    return parts


def forms(secret: str) -> dict[bytes, str]:
    """Give a secret as it is, and as addresses, JSON, base64 and hexadecimal have it."""
    raw, escaped = secret.encode(), json.dumps(secret)[1:-1]
    found = {
        raw.hex().encode(): "hexadecimal",
        **dict.fromkeys((escaped.encode(), escaped.replace("/", r"\/").encode()), "JSON"),
        **dict.fromkeys((quote(secret, safe="").encode(), quote_plus(secret).encode()), "address"),
    }
    for before in range(3):
        # In the middle of a longer text, the first and the last letter also depend on what stands beside it.
        text = base64.b64encode(bytes(before) + raw).rstrip(b"=")[before and before + 1 :]
        text = text[: -1 if (before + len(raw)) % 3 else None]
        found |= dict.fromkeys((text, text.translate(bytes.maketrans(b"+/", b"-_"))), "base64")
    return found | {raw: "as it is"}


def search(secrets: Mapping[str, str], parts: Iterable[Part]) -> list[Hit]:
    """Look for every form of every secret in parts of places; parts of one place that follow each other are one."""
    wanted: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for secret, name in secrets.items():
        for form, how in forms(secret).items():
            wanted[form].append((name, how))
    patterns = list(wanted)
    automaton = BytesAhoCorasick(patterns)
    overlap = max(map(len, patterns)) - 1
    hits = set()
    before, end = "", b""
    for place, data in parts:
        text = end + data if place == before else data
        for number, _, _ in automaton.find_matches_as_indexes(text, overlapping=True):
            hits |= {Hit(name, how, place) for name, how in wanted[patterns[number]]}
        before, end = place, text[-overlap:]
    return sorted(hits)


def unpacked(name: str, stream: Iterable[bytes] | io.BufferedIOBase) -> Iterator[Part]:
    """Give every file of a tar stream in parts."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
        for entry in archive:
            if entry.isfile() and (file := archive.extractfile(entry)):
                while part := file.read(2**22):
                    yield f"{name} {entry.name}", part
