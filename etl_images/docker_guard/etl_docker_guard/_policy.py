"""Reads config/docker_guard.yaml: which images may run, and how much they may have."""

import re
from pathlib import Path
from string import Template
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from etl_docker_guard._errors import Misconfigured

_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
_SHARED_NETWORKS = {"host", "bridge", "default", "container"}
# What a `*` in a mount stands for: the name of a connection or a pipeline.
_ANY_NAME = "([a-z][a-z0-9_]{0,62})"


def in_bytes(size: str) -> int:
    """Count the bytes of a size such as `64m`."""
    if not re.fullmatch("[1-9][0-9]*[kmg]", size):
        raise ValueError(f"{size!r} is no size; write a whole number and k, m or g, such as 512m")
    return int(size[:-1]) * _UNITS[size[-1]]


def _own_network(name: str) -> str:
    if name.partition(":")[0] in _SHARED_NETWORKS:
        raise ValueError(f"{name!r} is shared with others; name a network of this project, or none")
    return name


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Size = Annotated[int, BeforeValidator(in_bytes)]


class Limits(_Section):
    """The most that any stage may have; sizes in bytes."""

    memory: Size
    cpus: Annotated[float, Field(gt=0)]
    processes: Annotated[int, Field(gt=0)]
    tmp: Size
    log_size: Size
    log_files: Annotated[int, Field(gt=0)]


class MountRule(_Section):
    """What an image may see at one place: a volume, or one folder of it."""

    volume: str
    folder: str = ""
    access: Literal["read", "write"]


class ImageRule(_Section):
    """What the containers of one image may have."""

    user: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*:[1-9][0-9]*$")]
    networks: Annotated[tuple[Annotated[str, AfterValidator(_own_network)], ...], Field(min_length=1)]
    mounts: dict[str, MountRule] = {}

    @model_validator(mode="after")
    def _stars_in_pairs(self) -> Self:
        for place, rule in self.mounts.items():
            if place.count("*") != rule.folder.count("*") or place.count("*") > 1:
                raise ValueError(f"{place}: write one * in both the place and its folder, or none")
        return self

    def mount_at(self, target: str) -> MountRule | None:
        """Find what may be mounted at a place, with `*` in its folder replaced by the name at the place."""
        for place, rule in self.mounts.items():
            if match := re.fullmatch(re.escape(place).replace(r"\*", _ANY_NAME), target):
                name = match[1] if match.groups() else ""
                return rule.model_copy(update={"folder": rule.folder.replace("*", name)})
        return None


class Policy(_Section):
    """All that Airflow may ask for."""

    limits: Limits
    images: Annotated[dict[str, ImageRule], Field(min_length=1)]


def load_policy(path: Path, *, project: str, tag: str) -> Policy:
    """Read a policy, with ${PROJECT} and ${TAG} filled in; tell every problem at once."""
    try:
        text = Template(path.read_text("utf-8")).substitute(PROJECT=project, TAG=tag)
        return Policy.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise Misconfigured(
            f"{path}: {error.strerror}. Mount config/docker_guard.yaml there, readable for all."
        ) from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"{path}: {error}") from error
    except ValidationError as error:
        problems = [
            f"  {'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False)
        ]
        raise Misconfigured("\n".join([f"{path} has {len(problems)} problems:", *problems])) from error
    except (KeyError, ValueError) as error:
        raise Misconfigured(f"{path}: {error}. The only placeholders are ${{PROJECT}} and ${{TAG}}.") from error
