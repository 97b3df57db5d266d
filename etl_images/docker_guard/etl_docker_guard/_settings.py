"""Reads what the guard is told about its surroundings: its environment, and the file with the installation's id."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from etl_docker_guard._errors import Misconfigured


@dataclass(frozen=True)
class Settings:
    """Where the guard listens, where the Engine is, and whose containers are ours."""

    host: str
    port: int
    socket: Path
    policy: Path
    installation_id: Path
    project: str
    tag: str

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the environment; tell every problem at once."""
        listen = env.get("GUARD_LISTEN", "0.0.0.0:2375")
        host, _, port = listen.rpartition(":")
        project, tag = env.get("COMPOSE_PROJECT_NAME", ""), env.get("ETL_TAG", "")
        checks = {
            f"GUARD_LISTEN is {listen!r}; write an address and a port, such as 0.0.0.0:2375": host and port.isdecimal(),
            f"COMPOSE_PROJECT_NAME is {project!r}; write the Compose project's name": re.fullmatch(
                "[a-z0-9][a-z0-9_-]*", project
            ),
            f"ETL_TAG is {tag!r}; write the tag of our images, such as local": re.fullmatch(
                r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag
            ),
        }
        if problems := [problem for problem, fine in checks.items() if not fine]:
            raise Misconfigured("\n".join(problems))
        return cls(
            host=host,
            port=int(port),
            socket=Path(env.get("GUARD_SOCKET", "/var/run/docker.sock")),
            policy=Path(env.get("GUARD_POLICY", "/etc/docker_guard.yaml")),
            installation_id=Path(env.get("GUARD_INSTALLATION_ID", "/run/secrets/id")),
            project=project,
            tag=tag,
        )

    def read_installation_id(self) -> str:
        """Read the id that our containers bear."""
        try:
            found = self.installation_id.read_text("utf-8")
        except OSError as error:
            raise Misconfigured(
                f"{self.installation_id}: {error.strerror}. The service 'secrets' writes it; mount its folder there."
            ) from error
        if not re.fullmatch("[A-Za-z0-9_-]{8,128}", found):
            raise Misconfigured(
                f"{self.installation_id}: is not 8 to 128 letters and digits. Let 'secrets' write it anew."
            )
        return found
