"""Stands between a load and its warehouse, and cuts the line."""

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: drop what is under way, and say so with a reset


class Proxy:
    """Forwards connections to a server until it is told to drop them."""

    def __init__(self, host: str, port: int = 5432) -> None:
        self._server = (host, port)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Give the running proxy."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, drop what is open."""
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Drop every connection, on both sides, with what is under way."""
        while self._open:
            end = self._open.pop()
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
