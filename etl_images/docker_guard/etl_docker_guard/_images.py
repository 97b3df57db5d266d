"""Remembers which image each name of the policy meant when the platform was started, and holds everybody to it.

The ids are taken at the guard's start, and anew whenever the platform is started: each `docker compose up` runs the
service `secrets`, which touches the file with the installation's id. So a person who builds and starts changes them,
and whoever only gives a name to another image does not.
"""

import asyncio
from pathlib import Path

import structlog

from etl_docker_guard._engine import Engine
from etl_docker_guard._errors import AnotherImage, EngineAnswer, EngineUnreachable, Refused
from etl_docker_guard._policy import Policy

_OFTEN = 1  # seconds
_log = structlog.get_logger()


class Images:
    """The ids of the policy's images.

    Args:
        engine: is asked what a name means.
        policy: the names.
        started: the file that is touched when the platform is started.
    """

    def __init__(self, engine: Engine, policy: Policy, started: Path) -> None:
        self._engine = engine
        self._policy = policy
        self._started = started
        self._since: int | None = None
        self._ids: dict[str, str] = {}

    async def watch(self) -> None:
        """Notice soon that the platform was started, so that nobody comes before."""
        trouble = ""
        while True:
            await asyncio.sleep(_OFTEN)
            try:
                await self.renew()
                trouble = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the next start has to be noticed
                before, trouble = trouble, f"{type(error).__name__}: {error}"
                if trouble != before:
                    _log.error("not_watched", error=trouble)

    async def checked(self, name: str) -> str:
        """Give the id to start, of an image that means what it did, and was built to run as the policy's user."""
        await self.renew()
        image = await self._engine.image(name)
        known = self._ids.setdefault(name, image["Id"])
        if image["Id"] != known:
            raise AnotherImage(
                f"{name} is another image now ({_short(image['Id'])}) than when the platform was started "
                f"({_short(known)}). If it was built anew, start the platform with it: make up"
            )
        user = (image.get("Config") or {}).get("User") or "root"
        if user != self._policy.images[name].user:
            raise Refused(f"{name} runs as {user!r}, which the policy does not allow")
        return known

    async def renew(self) -> None:
        """Take the ids anew, if the platform was started since they were taken."""
        since = self._started.stat().st_mtime_ns
        if since == self._since:
            return
        ids = {}
        for name in self._policy.images:
            try:
                ids[name] = (await self._engine.image(name))["Id"]
            except EngineAnswer:  # it is not built: the first of its name will be it
                continue
            except EngineUnreachable:  # then nothing can be started either
                return
        self._since, self._ids = since, ids
        _log.info("images", **{name: _short(image) for name, image in ids.items()})


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]
