"""Models the one body of a create call that a stage needs, and with it what is sent on to the Engine.

What a hardened container must say is a required field with one possible value; what docker-py adds of its own accord is
an optional one. There is no field for anything else, so nothing else can travel.
"""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_pascal

from etl_docker_guard._errors import Refused

# Linux's MAX_ARG_STRLEN: a longer variable would only fail later, as "argument list too long".
_MAX_VARIABLE = 128 * 1024 - 1
_VARIABLES = {
    "ETL_TASK": None,
    "ETL_NONCE": re.compile(r"[A-Za-z0-9_-]{8,64}"),
    "LOG_LEVEL": re.compile(r"(?i)debug|info|warning|error|critical"),
}
REQUIRED_LABELS = frozenset({"etl.installation", "etl.pipeline", "etl.run_id", "etl.stage", "etl.nonce"})


def _boolean(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the body
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.80} is neither true nor false")  # noqa: TRY004 - pydantic wants a ValueError
    return value


# pydantic takes 1 for Literal[True].
Yes = Annotated[Literal[True], BeforeValidator(_boolean)]
No = Annotated[Literal[False], BeforeValidator(_boolean)]
# `\z` and not `$`, which may also match before a last newline.
Label = Annotated[str, StringConstraints(pattern=r"^etl\.[a-z_]{1,40}\z")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,250}\z")]
Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}[kmg]\z")]
TmpfsOptions = Annotated[str, StringConstraints(pattern=r"^rw,noexec,nosuid,size=[1-9][0-9]{0,5}[kmg]\z")]
Path = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_/]{1,200}\z")]


def _variables(env: list[str]) -> list[str]:
    found: set[str] = set()
    for variable in env:
        name, _, value = variable.partition("=")
        if name not in _VARIABLES or name in found:
            raise ValueError(f"{name[:80]!r} is twice there, or none of {', '.join(_VARIABLES)}")
        found.add(name)
        if len(variable.encode()) > _MAX_VARIABLE:
            raise ValueError(f"{name} has {len(variable.encode())} bytes; Linux takes {_MAX_VARIABLE} at most")
        pattern = _VARIABLES[name]
        if pattern and not pattern.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is no value for {name}")
        if name == "ETL_TASK" and not _is_object(value):
            raise ValueError("ETL_TASK is not a JSON object")
    if "ETL_TASK" not in found:
        raise ValueError("ETL_TASK is not there")
    return env


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _required(labels: dict[str, str]) -> dict[str, str]:
    if missing := REQUIRED_LABELS - labels.keys():
        raise ValueError(f"{', '.join(sorted(missing))} must be there")
    return labels


class _Wire(BaseModel):
    """A JSON object of the Engine's API: keys in PascalCase, strict types, nothing unknown."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", frozen=True, strict=True)


class VolumeOptions(_Wire):
    """What part of a volume is mounted."""

    subpath: Path = ""
    no_copy: bool = False


class Mount(_Wire):
    """A named volume, or one folder of it, at a place in the container."""

    type: Literal["volume"]
    source: str
    target: Path
    read_only: bool
    volume_options: VolumeOptions = VolumeOptions()


class LogOptions(_Wire):
    """How much of its log the Engine keeps on the host's disk."""

    max_size: Size = Field(alias="max-size")
    max_file: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?\z")] = Field(alias="max-file")


class LogConfig(_Wire):
    """The Engine's own log driver, with an end."""

    type: Literal["json-file"]
    config: LogOptions


class Tmpfs(_Wire):
    """The only place besides its mounts where a stage can write."""

    tmp: TmpfsOptions = Field(alias="/tmp")  # noqa: S108 - in the container, and nowhere else


class HostConfig(_Wire):
    """What the container may have of the host: nothing without a limit."""

    network_mode: str
    mounts: Annotated[list[Mount], Field(max_length=32)] = []
    cap_drop: Annotated[list[Literal["ALL"]], Field(min_length=1, max_length=1)]
    security_opt: Annotated[list[Literal["no-new-privileges:true"]], Field(min_length=1, max_length=1)]
    readonly_rootfs: Yes
    tmpfs: Tmpfs
    init: Yes
    pids_limit: Annotated[int, Field(gt=0)]
    nano_cpus: Annotated[int, Field(gt=0)]
    memory: Annotated[int, Field(gt=0)]
    memory_swap: int
    log_config: LogConfig


class Container(_Wire):
    """A stage's container, whole."""

    image: str
    env: Annotated[list[str], AfterValidator(_variables)]
    labels: Annotated[dict[Label, LabelValue], Field(max_length=16), AfterValidator(_required)]
    stop_timeout: Annotated[int, Field(ge=1, le=30)]
    host_config: HostConfig
    # docker-py sends these with every call.
    tty: No = False
    open_stdin: No = False
    stdin_once: No = False
    attach_stdin: No = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    network_disabled: No = False

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "Container":
        """Understand a body as a stage's container, or refuse it with everything that is wrong with it."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise Refused(_told(error)) from error

    def to_json(self) -> bytes:
        """Write the body anew: what was understood, and not a byte of what arrived."""
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _told(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False)[:10]:
        where = ".".join(str(part)[:80] for part in problem["loc"])
        words = {"extra_forbidden": "no stage needs it", "missing": "must be there"}
        what = words.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        value = "" if problem["type"] in {"missing", "value_error"} else f", not {problem['input']!r:.80}"
        problems.append(f"{where}: {what}{value}")
    return "; ".join(problems)
