"""Knows the images of the platform: those of every service of docker-compose.yml, each once."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from etl_scan._command import run
from etl_scan._errors import Unanswered

# Whoever looks into an image needs nothing of the machine, and changes nothing.
LOOKING = ("--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--entrypoint=sh")


class Image(NamedTuple):
    """An image: the name that people use, its reference, and the member of the workspace that it installs."""

    name: str
    reference: str
    member: str | None = None

    @property
    def id(self) -> str:
        """Give the image's id, `sha256:` and 64 digits."""
        try:
            return run("docker", "image", "inspect", "--format", "{{.Id}}", self.reference).decode().strip()
        except Unanswered as error:
            raise Unanswered(f"{self.reference} is not here; to build it: docker compose build") from error

    def sh(self, script: str, *options: str, seconds: float = 300) -> bytes:
        """Run a script in a container of it, which is hardened, without a network, and removed."""
        network = () if any(option.startswith("--network") for option in options) else ("--network=none",)
        return run("docker", "run", *LOOKING, *network, *options, self.reference, "-c", script, seconds=seconds)


def images_of(config: dict[str, Any], root: Path) -> tuple[Image, ...]:
    """Give every image of a Compose configuration, each once, in the order of the services."""
    found: dict[str, Image] = {}
    for service, of in config["services"].items():
        reference = of["image"]
        dockerfile = (of.get("build") or {}).get("dockerfile")
        member = _member((root / dockerfile).parent) if dockerfile else None
        ours = reference.startswith("etl-platform/")
        name = reference.removeprefix("etl-platform/").partition(":")[0] if ours else service
        if reference not in found or (member and not found[reference].member):
            found[reference] = Image(name, reference, member)
    return tuple(found.values())


def compose_config(
    env_file: Path | None = None, root: Path | None = None, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Give what Compose makes of docker-compose.yml, with the services of every profile."""
    words = ["docker", "compose"]
    words += ["--project-directory", str(root)] if root else []
    words += ["--env-file", str(env_file)] if env_file else []
    words += ["--profile", "*", "config", "--no-path-resolution", "--format", "json"]
    config: dict[str, Any] = json.loads(run(*words, env=env))
    return config


def _member(folder: Path) -> str | None:
    file = folder / "pyproject.toml"
    return str(tomllib.loads(file.read_text("utf-8"))["project"]["name"]) if file.is_file() else None
