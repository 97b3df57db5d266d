"""Lists every call that the guard understands: method, path and query, and nothing beside them."""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from etl_docker_guard._errors import Refused
from etl_docker_guard._json import parse_object

# docker-py writes flags as 1 and 0 here, and as True and False there.
_FLAGS = {"1": True, "true": True, "True": True, "0": False, "false": False, "False": False}


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError(f"{text[:80]!r} is neither 1 nor 0")
    return _FLAGS[text]


def _signal(name: str) -> str:
    if name.upper().removeprefix("SIG") not in {"TERM", "KILL", "INT"}:
        raise ValueError(f"{name[:80]!r} is not one of SIGTERM, SIGKILL, SIGINT")
    return name


def _filters(text: str) -> dict[str, Any]:
    try:
        return parse_object(text.encode())
    except Refused as error:
        raise ValueError(f"{text[:80]!r} is not a JSON object") from error


Flag = Annotated[bool, BeforeValidator(_flag)]
Off = Annotated[Literal[False], BeforeValidator(_flag)]
LabelFilter = Annotated[str, StringConstraints(pattern=r"^etl\.[a-z_]{1,40}(=[^\x00-\x1f\x7f]{0,250})?\z")]


class Query(BaseModel):
    """A query that has no field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def pairs(self) -> dict[str, str]:
        """Write the query anew, from what was understood."""
        return {key: _text(value) for key, value in self.model_dump(by_alias=True, exclude_unset=True).items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


class _Labels(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    label: Annotated[list[LabelFilter], Field(max_length=16)]


class ListQuery(Query):
    """Which containers to list; the guard adds its own label."""

    all: Flag = False
    size: Off = False
    trunc_cmd: Off = False
    limit: Literal["-1"] = "-1"
    filters: Annotated[_Labels, BeforeValidator(_filters)] = _Labels(label=[])


class CreateQuery(Query):
    """How the container is to be called."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,200}\z")]


class StopQuery(Query):
    """How many seconds to wait before it is killed."""

    t: Annotated[int, Field(ge=0, le=30)] = 0


class KillQuery(Query):
    """Which signal to send."""

    signal: Annotated[str, AfterValidator(_signal)] = "SIGKILL"


class WaitQuery(Query):
    """What to wait for."""

    condition: Literal["not-running", "next-exit", "removed"] = "not-running"


class LogsQuery(Query):
    """Which part of the log, and whether to stay for what is still to come."""

    follow: Flag = False
    stdout: Flag = False
    stderr: Flag = False
    timestamps: Flag = False
    since: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?\z")] = "0"
    tail: Annotated[str, StringConstraints(pattern=r"^(all|[0-9]{1,7})\z")] = "all"


class RemoveQuery(Query):
    """Whether to remove it while it runs, and its anonymous volumes with it."""

    force: Flag = False
    v: Flag = False
    link: Off = False


_CONTAINER = "/containers/(?P<subject>[0-9a-f]{64})"
_IMAGE = "/images/(?P<subject>[a-z0-9][a-zA-Z0-9._:/-]{0,200})/json"
_CALLS: tuple[tuple[str, str, str, type[Query]], ...] = (
    ("ping", "GET", "/_ping", Query),
    ("image", "GET", _IMAGE, Query),
    ("list", "GET", "/containers/json", ListQuery),
    ("create", "POST", "/containers/create", CreateQuery),
    ("inspect", "GET", f"{_CONTAINER}/json", Query),
    ("logs", "GET", f"{_CONTAINER}/logs", LogsQuery),
    ("start", "POST", f"{_CONTAINER}/start", Query),
    ("stop", "POST", f"{_CONTAINER}/stop", StopQuery),
    ("kill", "POST", f"{_CONTAINER}/kill", KillQuery),
    ("wait", "POST", f"{_CONTAINER}/wait", WaitQuery),
    ("remove", "DELETE", _CONTAINER, RemoveQuery),
)
_VERSION = "/v1.45"


@dataclass(frozen=True)
class Call:
    """A call that was understood.

    Args:
        kind: its name in this module's table.
        method: GET, POST or DELETE.
        path: the path without the API's version.
        subject: the full id of the container, or the name of the image, if the path names one.
        query: its query.
    """

    kind: str
    method: str
    path: str
    subject: str
    query: Any

    @classmethod
    def parse(cls, method: str, target: str) -> "Call":
        """Understand a request line as one of the calls, or refuse it."""
        path, _, query = target.partition("?")
        path = path.removeprefix(_VERSION)
        for kind, allowed_method, pattern, model in _CALLS:
            if method == allowed_method and (match := re.fullmatch(pattern, path)):
                return cls(kind, method, path, match.groupdict().get("subject", ""), _query(model, query))
        raise Refused("no stage needs this call")


def _query(model: type[Query], text: str) -> Query:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=16)
    except ValueError as error:
        raise Refused(f"the query is malformed: {error}") from error
    if len(dict(pairs)) != len(pairs):
        raise Refused("the query says one thing twice")
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part)[:80] for part in problem["loc"])
        raise Refused(f"query {where}: {problem['msg'].removeprefix('Value error, ')}") from error
