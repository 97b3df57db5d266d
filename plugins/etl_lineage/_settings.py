"""Models the settings of lineage, and reads them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from etl_contract import Name
from etl_contract._words import matching
from etl_platform._settings_file import BadSettings, read_settings

FILE = "config/lineage/settings.yaml"
PAGE = "docs/lineage.md"
Namespace = Annotated[
    str, *matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits, ., _ and - (at most 100)")
]
_SERVER = "postgres://postgres:5432"


class Events(StrEnum):
    """Where events go."""

    none = "none"
    file = "file"
    endpoint = "endpoint"


def _an_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or a password has no place in this file; leave it out")
    if not (parts.scheme and parts.hostname) or parts.query or parts.fragment:
        raise ValueError(f"'{text}' names no database; write one such as postgres://db.example.org:5432/shop")
    return text


class LineageSettings(BaseModel):
    """What holds for all events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: Events = Events.none
    namespace: Namespace = "etl"
    connections: dict[Name, Annotated[str, AfterValidator(_an_address)]] = Field(
        default={"source": f"{_SERVER}/source", "warehouse": f"{_SERVER}/warehouse"}
    )


def read_lineage_settings(file: Path) -> LineageSettings | BadSettings:
    """Read the file; without it nothing is told."""
    return read_settings(file, LineageSettings, FILE, PAGE)


def is_wanted(file: Path) -> bool:
    """Tell whether anybody wants events; where the file has problems, the notifier tells of them."""
    read = read_lineage_settings(file)
    return not isinstance(read, BadSettings) and read.events is not Events.none
