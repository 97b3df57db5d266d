"""Stands in for the Engine where a real one cannot be brought to do it: to break off, to say nothing, to hang."""

import hashlib
import json
import re
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

from tests.docker_guard.wishes import INSTALLATION

ID = "c0ffee00" * 8
OURS: dict[str, Any] = {
    "Id": ID,
    "Config": {
        "Env": ["ETL_TASK={}"],
        "Labels": {"etl.installation": INSTALLATION, "etl.stage": "load"},
        "Tty": False,
    },
}


def image_id(name: str) -> str:
    """Give the id of the image of a name."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers a request with what the test has set for its path, and notes what came."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def handle_call(self) -> None:
        """Note the call, and answer it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].removeprefix("/v1.45")
        answer = self.server.answers.get(path)
        if answer is None and (name := re.fullmatch("/images/(.+)/json", path)):
            # The guard's own question, at its start and before each container.
            self.json({"Id": image_id(name[1]), "Config": {"User": "10001:10001"}})
            return
        self.server.seen.append((self.command, self.path, body))
        if answer is None:
            self.json({"message": f"no such thing: {self.path}"}, 404)
        else:
            answer(self)

    do_GET = do_POST = do_DELETE = handle_call  # noqa: N815 - the standard library's names

    def json(self, document: object, status: int = 200) -> None:
        """Answer with a document."""
        self.text(json.dumps(document).encode(), status, "application/json")

    def text(self, text: bytes, status: int = 200, content_type: str = "text/plain") -> None:
        """Answer with a text."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stream(self) -> None:
        """Begin an answer without an announced end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.multiplexed-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, part: bytes) -> None:
        """Send a part of such an answer; an empty one ends it."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def line(self, text: str) -> None:
        """Send a line of a container's standard output."""
        self.chunk(b"\x01\x00\x00\x00" + len(text).to_bytes(4) + text.encode())

    def log_message(self, *_args: Any) -> None:  # noqa: ANN401
        """Say nothing."""

    def address_string(self) -> str:
        """Give the client's address, of which a Unix socket has none."""
        return ""


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str, bytes]] = []
        super().__init__(str(path), Handler)


class FakeEngine:
    """An Engine on a Unix socket, with one container of ours."""

    def __init__(self, path: Path) -> None:
        self.socket = path
        self._server = _Server(path)
        self.answers = self._server.answers
        self.seen = self._server.seen
        self.answers["/_ping"] = lambda handler: handler.text(b"OK")
        self.answers[f"/containers/{ID}/json"] = lambda handler: handler.json(OURS)

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop listening; an answer that still runs ends with its thread."""
        self._server.shutdown()
        self._server.socket.close()
