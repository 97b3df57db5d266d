"""Runs a real MariaDB server beside the test, on a free port of loopback."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

PASSWORD = "p@ss:w/rd"  # noqa: S105 - of a server that lives as long as the tests


@contextmanager
def running_mariadb(folder: Path) -> Iterator[int]:
    """Give the port of a server with the database `shop` and the user `reader`."""
    data, sock = folder / "data", folder / "s"
    options = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        ["mariadb-install-db", *options, "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["mariadbd", *options, "--user=root", f"--socket={sock}", f"--port={port}", "--bind-address=127.0.0.1"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            with _root(port, folder / "log") as root, root.cursor() as cursor:
                cursor.execute("create database shop")
                cursor.execute("create user reader@'127.0.0.1' identified by %s", (PASSWORD,))
                cursor.execute("grant all on shop.* to reader@'127.0.0.1'")
            yield port
        finally:
            server.terminate()
            server.wait(30)


def _root(port: int, log: Path, seconds: float = 60) -> pymysql.Connection:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.err.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from error
            time.sleep(0.2)
