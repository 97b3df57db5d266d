"""A real web server that takes events as an endpoint of OpenLineage does, or does not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Endpoint:
    """What an endpoint was sent, with which tokens; it keeps what it answers with a `status` below 300."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.status = 201
        self.port = 0


@contextmanager
def endpoint(host: str = "127.0.0.1", port: int = 0) -> Iterator[Endpoint]:
    """Serve until the end."""
    receiver = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.status < 300:
                receiver.events.append(json.loads(body))
                receiver.tokens.append(self.headers["Authorization"])
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, port), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
