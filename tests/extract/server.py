"""A web server of the tests' own, on loopback: it speaks HTTP for real, and does whatever a test tells it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Request(NamedTuple):
    """What a client asked for."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


Respond = Callable[["Handler", Request], None]


class WebServer(ThreadingHTTPServer):
    """Answers each path as it is told, and remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[Request] = []
        self._routes: dict[str, Respond] = {}
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Give the server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def route(self, path: str, respond: Respond) -> str:
        """Answer a path so, and give its address."""
        self._routes[path] = respond
        return self.url + path

    def serve(self, path: str, body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> str:
        """Answer a path with a body, and give its address."""
        data = body.encode() if isinstance(body, str) else body
        return self.route(path, lambda handler, _: handler.send(data, status, headers))

    def respond(self, handler: "Handler", request: Request) -> None:
        """Answer a request."""
        self.requests.append(request)
        self._routes[request.path](handler, request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hung up: some tests are about that."""


class Handler(BaseHTTPRequestHandler):
    """A request, and the ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_GET(self) -> None:
        """Answer as the server is told."""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.respond(self, Request(parts.path, dict(parse_qsl(parts.query)), headers))

    def send(self, data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send an answer whole."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def pour(self, chunks: Iterator[bytes], pause: float = 0) -> None:
        """Send chunk after chunk, without telling how many."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if pause and self.server.stopping.wait(pause):
                return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Start a server."""
    with WebServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
