"""A real mail server and a real web server on loopback, that keep what they are sent."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """What a mail server received; while `refusing` it takes nothing."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusing = False
        self.port = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep a mail, or refuse it."""
        if self.refusing:
            return "451 come again later"
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        """Give the subjects of the mails, in their order."""
        return [str(mail["Subject"]) for mail in self.mails]


class Hook:
    """What a web server was posted; while `refusing` it answers 503."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.refusing = False
        self.port = 0

    @property
    def titles(self) -> list[str]:
        """Give the titles of what was posted, in its order."""
        return [post["title"] for post in self.posts]


@contextmanager
def mail_server(host: str = "127.0.0.1", port: int = 0) -> Iterator[Mailbox]:
    """Serve until the end."""
    box = Mailbox()
    with socket.create_server((host, port)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname=host, port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@contextmanager
def web_server(host: str = "127.0.0.1", port: int = 0) -> Iterator[Hook]:
    """Serve until the end."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not hook.refusing:
                hook.posts.append(json.loads(body))
            self.send_response(503 if hook.refusing else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, port), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
