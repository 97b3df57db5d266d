"""Listens, within bounds that hold whoever connects."""

import asyncio
import asyncio.selector_events
import signal
import socket

import structlog
from aiohttp import web

from etl_docker_guard._engine import BUFFER, Engine
from etl_docker_guard._guard import Guard
from etl_docker_guard._images import Images
from etl_docker_guard._policy import load_policy
from etl_docker_guard._settings import Settings

# A client has so many seconds to send its request's head, and the guard's own end so many to come.
_SLOW_HEAD = 10
_GRACE = 1
# What 64 MiB bear, if each connection does its worst. docker-py sends 8 header fields, of 50 bytes.
_MAX_CONNECTIONS = 200
_MAX_LINE, _MAX_FIELD, _MAX_FIELDS = 4096, 512, 24
# What each accepted connection inherits. A client that vanished without a word, as when its machine lost power, is
# noticed after 30 + 3 * 10 seconds; and the kernel holds little of what nobody takes.
_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * BUFFER),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * BUFFER),
)
# asyncio reads 256 KiB at once; a hundred logs that nobody takes would fill the guard's memory with that.
asyncio.selector_events._SelectorTransport.max_size = BUFFER  # type: ignore[attr-defined] # noqa: SLF001


async def serve(settings: Settings, *, ready: asyncio.Future[int] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until cancelled.

    Args:
        settings: where to listen, and what to guard.
        ready: is told the port as soon as it is open.
    """
    policy = load_policy(settings.policy, project=settings.project, tag=settings.tag)
    installation = settings.read_installation_id()
    async with Engine(settings.socket) as engine:
        images = Images(engine, policy, settings.installation_id)
        await images.renew()
        guard = Guard(engine, images, policy, project=settings.project, installation=installation)
        server = _BoundedServer(
            guard,
            handler_cancellation=True,  # who waits for nobody is let go
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=_SLOW_HEAD,
            lingering_time=_GRACE,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_FIELD,
            max_headers=_MAX_FIELDS,
            read_bufsize=BUFFER,
        )
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE / 2)
        await runner.setup()
        watch = asyncio.create_task(images.watch())
        try:
            listener = _listen(settings)
            await web.SockSite(runner, listener).start()
            port = listener.getsockname()[1]
            structlog.get_logger().info("listening", port=port, project=settings.project, images=[*policy.images])
            if ready:
                ready.set_result(port)
            await _stop_signal(handle=ready is None)
        finally:
            watch.cancel()
            await runner.cleanup()


class _BoundedServer(web.Server):
    """A server that hangs up on whoever comes when it has its hands full."""

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection, or drop it at once."""
        super().connection_made(handler, transport)
        if len(self.connections) > _MAX_CONNECTIONS:
            structlog.get_logger().warning("too_many_connections", limit=_MAX_CONNECTIONS)
            transport.abort()


def _listen(settings: Settings) -> socket.socket:
    listener = socket.create_server((settings.host, settings.port))
    for level, option, value in _OPTIONS:
        listener.setsockopt(level, option, value)
    return listener


async def _stop_signal(*, handle: bool) -> None:
    stop = asyncio.Event()
    if handle:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
