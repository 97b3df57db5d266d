"""Speaks to the Docker Engine on its Unix socket, with requests of the guard's own making."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import aiohttp
from yarl import URL

from etl_docker_guard._errors import EngineAnswer, EngineUnreachable

# Every request names the version whose meaning the models were written for, whatever the Engine's own may be.
_API = "/v1.45"
# Small, because it is held once for each log that is followed.
BUFFER = 16 * 1024
_MAX_DOCUMENT = 2 * 1024 * 1024
# A container's document holds its task, 128 KiB that take ten times as much while they are parsed.
_MAX_DOCUMENTS_AT_ONCE = 8
# The longest that is waited for is POST stop, 30 s and what the Engine needs to kill.
_PATIENCE = 60


class Engine:
    """A client for a few calls; one connection for each, so that none is ever found dead when it is needed."""

    def __init__(self, socket: Path) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            read_bufsize=BUFFER,
        )
        self._documents = asyncio.Semaphore(_MAX_DOCUMENTS_AT_ONCE)

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close whatever is still open."""
        await self._session.close()

    @asynccontextmanager
    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; give the answer as soon as its head is there, its body still to come."""
        url = URL.build(scheme="http", host="engine", path=_API + path, query=dict(query or {}))
        headers = {"Content-Type": "application/json"} if body else None
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._session.request(method, url, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise EngineUnreachable(f"the Docker Engine does not answer: {error!r}") from error
        async with answer:
            yield answer

    async def container(self, container_id: str) -> dict[str, Any]:
        """Read what the Engine knows of one container, without its environment."""
        async with self._documents:
            document = await self._document(f"/containers/{container_id}/json")
            return {**document, "Config": {**(document.get("Config") or {}), "Env": []}}

    async def image(self, name: str) -> dict[str, Any]:
        """Read what the Engine knows of the image that a name means now."""
        async with self._documents:
            return await self._document(f"/images/{name}/json")

    async def _document(self, path: str) -> dict[str, Any]:
        async with self.call("GET", path) as answer:
            raw = bytearray()
            try:
                async with asyncio.timeout(_PATIENCE):
                    async for part in answer.content.iter_any():
                        raw += part
                        if len(raw) > _MAX_DOCUMENT:
                            raise EngineUnreachable(f"the Docker Engine's answer is over {_MAX_DOCUMENT} bytes long")
                document = json.loads(raw)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise EngineUnreachable(f"the Docker Engine's answer breaks off: {error}") from error
        if answer.status != HTTPStatus.OK:
            raise EngineAnswer(answer.status, str(document.get("message")))
        return dict(document)
