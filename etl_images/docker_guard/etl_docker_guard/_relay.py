"""Passes an answer of the Engine on as it comes: a few bytes, or a log that is followed for hours."""

import asyncio
from http import HTTPStatus

import aiohttp
import structlog
from aiohttp import web

from etl_docker_guard._engine import BUFFER

# A client that stops reading is given up after so many seconds; what it has not read waits in the Engine.
_STALLED_READER = 120
_NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


async def relay(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass an answer on, no faster than it is read; never end well what the Engine did not end well."""
    if answer.status in _NO_BODY:
        return closing(web.Response(status=answer.status))
    response = closing(web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type}))
    response.enable_chunked_encoding()
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        return response
    transport.set_write_buffer_limits(high=BUFFER)
    try:
        async for part in answer.content.iter_any():
            async with asyncio.timeout(_STALLED_READER):
                await response.write(part)
                await request.writer.drain()
    except TimeoutError:
        _broken(request, f"the client read nothing for {_STALLED_READER} s")
        transport.abort()
    except (aiohttp.ClientError, OSError) as error:
        if not transport.is_closing():
            _broken(request, f"the Docker Engine's answer breaks off: {error!r}")
        transport.close()  # without the last chunk: the client sees that something is missing
    return response


def closing[Response: web.StreamResponse](response: Response) -> Response:
    """Mark an answer as the last one of its connection."""
    response.force_close()
    return response


def _broken(request: web.BaseRequest, reason: str) -> None:
    structlog.get_logger().warning("broken", path=request.raw_path[:300], reason=reason, peer=request.remote)
