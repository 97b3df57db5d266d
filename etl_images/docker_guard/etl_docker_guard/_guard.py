"""Answers each request: understands it, checks whose container it is about, and asks the Engine anew."""

import asyncio
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from etl_docker_guard._body import Container
from etl_docker_guard._calls import Call
from etl_docker_guard._engine import Engine
from etl_docker_guard._errors import AnotherImage, EngineAnswer, EngineUnreachable, Refused
from etl_docker_guard._images import Images
from etl_docker_guard._json import parse_object
from etl_docker_guard._judge import judge
from etl_docker_guard._policy import Policy
from etl_docker_guard._relay import closing, relay

MAX_BODY = 1024 * 1024
_MAX_BODIES_AT_ONCE = 4
# A body that trickles, or waits for others that do, is given up after so many seconds.
_SLOW_BODY = 10
# What a stage's containers, and no others on this Engine, bear beside the installation's id.
_STAGE_LABEL = "etl.stage"

_log = structlog.get_logger()


class Guard:
    """A handler for aiohttp's server: one request in, one answer out, and the connection closed.

    One request a connection means that nothing can hide behind a request, and that no client ever writes into a
    connection which the guard is about to close.
    """

    def __init__(self, engine: Engine, images: Images, policy: Policy, *, project: str, installation: str) -> None:
        self._engine = engine
        self._images = images
        self._policy = policy
        self._project = project
        self._installation = installation
        self._bodies = asyncio.Semaphore(_MAX_BODIES_AT_ONCE)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, whatever it is."""
        try:
            _check_head(request)
            if request.method == "GET" and request.raw_path == "/health":
                return await self._health()
            return await self._answer(request, Call.parse(request.method, request.raw_path))
        except Refused as refusal:
            return _problem(request, HTTPStatus.FORBIDDEN, f"docker-guard: {refusal}", _log.warning)
        except AnotherImage as conflict:
            return _problem(request, HTTPStatus.CONFLICT, f"docker-guard: {conflict}", _log.warning)
        except EngineAnswer as answer:
            return _problem(request, answer.status, str(answer), _log.info)
        except EngineUnreachable as error:
            return _problem(request, HTTPStatus.BAD_GATEWAY, str(error), _log.error)

    async def _health(self) -> web.Response:
        async with self._engine.call("GET", "/_ping") as answer:
            if answer.status != HTTPStatus.OK:
                raise EngineUnreachable(f"the Docker Engine answers a ping with {answer.status}")
        return _json({"status": "ok"})

    async def _answer(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        query, body = call.query.pairs(), None
        match call.kind:
            case "create":
                body = await self._stage(request, call.query.name)
            case "image":
                self._check_image(call.subject)
            case "list":
                ours = [f"etl.installation={self._installation}", _STAGE_LABEL]
                query["filters"] = json.dumps({"label": [*call.query.filters.label, *ours]})
            case "inspect":
                return _json(await self._own(call.subject))
            case _ if call.subject:
                await self._own(call.subject)
        async with self._engine.call(call.method, call.path, query, body) as answer:
            if call.method != "GET":
                _log.info("passed", call=call.kind, container=call.subject or query["name"], status=answer.status)
            return await relay(request, answer)

    async def _stage(self, request: web.BaseRequest, name: str) -> bytes:
        try:
            async with asyncio.timeout(_SLOW_BODY), self._bodies:
                container = Container.parse(parse_object(await _body(request)))
        except TimeoutError as error:
            raise Refused(f"the body did not arrive within {_SLOW_BODY} s") from error
        judge(container, name, self._policy, project=self._project, installation=self._installation)
        # By its id, so that the name cannot come to mean another in between.
        return container.model_copy(update={"image": await self._images.checked(container.image)}).to_json()

    async def _own(self, container_id: str) -> dict[str, Any]:
        document = await self._engine.container(container_id)
        labels = document["Config"].get("Labels") or {}
        ours = labels.get("etl.installation") == self._installation and _STAGE_LABEL in labels
        # The Engine also takes a name where an id stands, and a name can look like an id.
        if not ours or document.get("Id") != container_id:
            raise Refused(f"container {container_id[:12]} is not a stage of this installation")
        return document

    def _check_image(self, name: str) -> None:
        if name not in self._policy.images:
            raise Refused(f"{name[:200]!r} is none of {', '.join(self._policy.images)}")


def _check_head(request: web.BaseRequest) -> None:
    if request.version != aiohttp.HttpVersion11:
        raise Refused("not HTTP/1.1")
    for header in ("Upgrade", "Expect", "Transfer-Encoding", "Content-Encoding", "Trailer"):
        if header in request.headers:
            raise Refused(f"the header {header} is not needed by any call")
    if request.content_length and not request.raw_path.partition("?")[0].endswith("/containers/create"):
        raise Refused("only a create call has a body")


async def _body(request: web.BaseRequest) -> bytes:
    if request.headers.get("Content-Type") != "application/json":
        raise Refused("the body's Content-Type must be application/json")
    length = request.content_length or 0
    if not 0 < length <= MAX_BODY:
        raise Refused(f"the body has {length} bytes, and must have 1 to {MAX_BODY}")
    try:
        return await request.content.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise Refused("the body breaks off") from error


def _problem(request: web.BaseRequest, status: int, reason: str, log: Callable[..., None]) -> web.Response:
    method, path = request.method[:20], request.raw_path[:300]
    log("refused", method=method, path=path, status=int(status), reason=reason[:1000], peer=request.remote)
    return _json({"message": reason}, status)


def _json(document: Mapping[str, Any], status: int = HTTPStatus.OK) -> web.Response:
    return closing(web.json_response(document, status=status))
