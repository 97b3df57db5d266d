"""Tests what the guard does with connections, before an Engine that breaks off, hangs and says nothing."""

import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl

import docker
import pytest
from docker.errors import APIError, NotFound
from requests.exceptions import ChunkedEncodingError
from structlog.testing import capture_logs

from etl_docker_guard._health import is_healthy
from tests.docker_guard.fake_engine import ID, OURS, FakeEngine, Handler
from tests.docker_guard.running import RunningGuard, settings
from tests.docker_guard.wishes import INSTALLATION, Wishes

HEAD = b"Host: docker-guard\r\n"
LOGS = f"GET /v1.45/containers/{ID}/logs?follow=1&stdout=1&stderr=1 HTTP/1.1\r\n".encode() + HEAD + b"\r\n"


def test_a_refusal_is_403_with_its_reason_and_one_line_in_the_log(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Who asks for more is told why, the log says who asked for what, and the Engine hears nothing of it."""
    with capture_logs() as log:
        answer = guard.raw(b"POST /containers/x/exec?a=%0d%0aforged HTTP/1.1\r\n" + HEAD + b"\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden")
    assert json.loads(body) == {"message": "docker-guard: no stage needs this call"}
    assert log == [
        {
            "event": "refused",
            "log_level": "warning",
            "method": "POST",
            "path": "/containers/x/exec?a=%0d%0aforged",
            "status": 403,
            "reason": "docker-guard: no stage needs this call",
            "peer": "127.0.0.1",
        }
    ]
    assert fake_engine.seen == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /_ping\r\n\r\n",
        b"GET /_ping HTTP/1.0\r\n" + HEAD + b"\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /containers/create?name=x HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /containers/create?name=x HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
        b"POST /containers/create?name=x HTTP/1.1\r\n"
        + HEAD
        + b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /containers/create?name=x HTTP/1.1\r\n"
        + HEAD
        + b"Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n",
        b"POST /containers/create?name=x HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n\r\n",
        b"CONNECT docker:2375 HTTP/1.1\r\n" + HEAD + b"\r\n",
    ],
)
def test_an_unusual_request_is_refused(request_bytes: bytes, guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Old versions, upgrades, encodings and bodies where none belongs are refused before the Engine hears of them."""
    assert guard.raw(request_bytes)[:12] in {b"HTTP/0.9 403", b"HTTP/1.0 403", b"HTTP/1.1 403"}
    assert fake_engine.seen == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /containers/create?name=x HTTP/1.1\r\n"
        + HEAD
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Content-Length: +0\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"Content-Length : 0\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n",
        b"GET /_ping HTTP/1.1\nHost: x\n\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 600 + b"\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n" + HEAD + b"".join(b"X%d: a\r\n" % n for n in range(40)) + b"\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_request_that_two_parsers_could_read_differently_is_malformed(
    request_bytes: bytes, guard: RunningGuard, fake_engine: FakeEngine
) -> None:
    """Two lengths, bare line feeds, folded and oversized heads end with 400; the Engine hears nothing."""
    with capture_logs():
        assert guard.raw(request_bytes)[:12] in {b"HTTP/1.0 400", b"HTTP/1.1 400"}
    assert fake_engine.seen == []


def test_nothing_hides_behind_a_request(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Of two requests in one go only the first is answered; its connection is closed then."""
    ping = b"GET /_ping HTTP/1.1\r\n" + HEAD + b"\r\n"
    answer = guard.raw(ping + ping)

    assert answer.count(b"HTTP/1.1") == 1
    assert b"\r\nConnection: close\r\n" in answer
    assert len(fake_engine.seen) == 1


def test_what_the_engine_hears_is_written_anew(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Path and query are the guard's own, of the version that it was written for; headers stay behind."""
    headers: dict[str, str] = {}

    def answer(handler: Handler) -> None:
        headers.update(handler.headers)
        handler.json({}, 200)

    fake_engine.answers[f"/containers/{ID}/stop"] = answer
    guard.raw(f"POST /containers/{ID}/stop?t=03 HTTP/1.1\r\nX-Registry-Auth: abc\r\n".encode() + HEAD + b"\r\n")

    assert [call[:2] for call in fake_engine.seen] == [
        ("GET", f"/v1.45/containers/{ID}/json"),
        ("POST", f"/v1.45/containers/{ID}/stop?t=3"),
    ]
    assert headers["Host"] == "engine"
    assert "X-Registry-Auth" not in headers


@pytest.mark.parametrize(
    "found",
    [
        {"Id": ID, "Config": {"Labels": {"etl.installation": "another", "etl.stage": "load"}}},
        {"Id": ID, "Config": {"Labels": {"etl.stage": "load"}}},
        {"Id": ID, "Config": {"Labels": {"etl.installation": OURS["Config"]["Labels"]["etl.installation"]}}},
        {"Id": ID, "Config": {"Labels": None}},
        OURS | {"Id": "f" * 64},
    ],
    ids=["another installation", "no installation", "no stage", "no labels", "a name like an id"],
)
def test_other_peoples_containers_are_out_of_reach(found: object, guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """A container without our labels, or found by a name that looks like an id, can be neither seen nor touched."""
    fake_engine.answers[f"/containers/{ID}/json"] = lambda handler: handler.json(found)
    with guard.client() as client:
        acts = (client.inspect_container, client.start, client.stop, client.kill, client.wait, client.remove_container)
        for act in acts:
            with pytest.raises(APIError, match="is not a stage of this installation"):
                act(ID)

    assert {call[:2] for call in fake_engine.seen} == {("GET", f"/v1.45/containers/{ID}/json")}


def test_the_environment_is_not_shown(guard: RunningGuard) -> None:
    """Inspecting a container gives everything but its environment."""
    with guard.client() as client:
        assert client.inspect_container(ID) == OURS | {"Config": OURS["Config"] | {"Env": []}}


def test_only_our_containers_are_listed(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Whatever a list is filtered by, the guard adds our own labels."""
    fake_engine.answers["/containers/json"] = lambda handler: handler.json([])
    with guard.client() as client:
        client.containers(all=True, filters={"label": ["etl.run_id=manual__1+0"]})

    query = dict(parse_qsl(fake_engine.seen[-1][1].partition("?")[2]))
    assert query["all"] == "1"
    assert json.loads(query["filters"]) == {
        "label": ["etl.run_id=manual__1+0", f"etl.installation={INSTALLATION}", "etl.stage"]
    }


def test_the_engines_own_refusal_goes_through(guard: RunningGuard) -> None:
    """A container that is gone is docker-py's NotFound, as without a guard."""
    with guard.client() as client, pytest.raises(NotFound, match="no such thing"):
        client.inspect_container("d" * 64)


def test_a_silent_log_begins_at_once(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """Following the log of a stage that says nothing for long succeeds at once, and each line comes when it is said."""
    speak = threading.Event()

    def answer(handler: Handler) -> None:
        handler.stream()
        speak.wait(10)
        handler.line("hello\n")
        handler.chunk(b"")

    fake_engine.answers[f"/containers/{ID}/logs"] = answer
    with guard.client() as client:
        lines = client.logs(ID, stream=True, follow=True)  # returns as soon as the head is there
        speak.set()
        assert list(lines) == [b"hello\n"]


def test_a_log_that_breaks_off_does_not_look_like_one_that_ended(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """When the Engine dies under a log, the client gets the lines so far and then an error, never a well-formed end."""

    def answer(handler: Handler) -> None:
        handler.stream()
        handler.line("half\n")
        handler.connection.shutdown(socket.SHUT_RDWR)

    fake_engine.answers[f"/containers/{ID}/logs"] = answer
    with capture_logs() as log:
        # Not through docker-py's `logs`, which takes any broken connection for an end.
        raw = guard.raw(LOGS)
        with guard.client() as client, pytest.raises(ChunkedEncodingError):
            client._get(client._url("/containers/{0}/logs", ID), params={"follow": 1})

    assert raw.endswith(b"\x01\x00\x00\x00\x00\x00\x00\x05half\n\r\n")
    assert [(line["event"], line["log_level"]) for line in log] == [("broken", "warning")] * 2


def test_a_client_that_leaves_is_let_go(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """When Airflow's process dies while it waits or follows, the Engine's end is closed within a second."""
    left = threading.Event()

    def answer(handler: Handler) -> None:
        handler.stream()
        handler.connection.settimeout(10)
        if handler.rfile.read(1) == b"":
            left.set()

    fake_engine.answers[f"/containers/{ID}/logs"] = answer
    with socket.create_connection(("127.0.0.1", guard.port), timeout=5) as connection:
        connection.sendall(LOGS)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

    assert left.wait(1)


def test_a_reader_that_stops_slows_only_itself(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """What a client does not read stays in the Engine: the guard takes less than a megabyte, and serves others."""
    sent = 0
    stop = threading.Event()

    def answer(handler: Handler) -> None:
        nonlocal sent
        handler.stream()
        handler.connection.settimeout(0.2)
        while not stop.is_set():
            try:
                handler.chunk(b"x" * 4096)
                sent += 4096
            except TimeoutError:
                break

    fake_engine.answers[f"/containers/{ID}/logs"] = answer
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", guard.port))
        connection.sendall(LOGS)
        time.sleep(1)
        with guard.client() as client:
            client.ping()
        stop.set()

    assert 0 < sent < 1024 * 1024


def test_a_head_or_a_body_that_trickles_is_given_up(guard: RunningGuard, fake_engine: FakeEngine) -> None:
    """A client has 10 s to send a request's head, and 10 s for its body; meanwhile others are served."""
    started = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", guard.port), timeout=15) as head,
        socket.create_connection(("127.0.0.1", guard.port), timeout=15) as body,
    ):
        head.sendall(b"GET /_ping HTTP/1.1\r\n")
        body.sendall(b"POST /containers/create?name=x HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n")
        body.sendall(b"Content-Length: 9\r\n\r\n{")
        with guard.client() as client:
            client.ping()
        with capture_logs() as log:
            assert b"the body did not arrive within 10 s" in body.recv(1000)
            assert head.recv(1000) == b""

    assert 9 < time.monotonic() - started < 14
    assert [line["status"] for line in log] == [403]
    assert [path for _, path, _ in fake_engine.seen] == ["/v1.45/_ping"]


def test_more_connections_than_fit_are_hung_up_on(guard: RunningGuard) -> None:
    """The 201st connection is closed at once; the first 200 stay."""
    with capture_logs() as log:
        connections = [socket.create_connection(("127.0.0.1", guard.port), timeout=2) for _ in range(201)]
        try:
            assert connections[200].recv(1) == b""
            connections[0].sendall(b"GET /_ping HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert connections[0].recv(12) == b"HTTP/1.1 200"
        finally:
            for connection in connections:
                connection.close()

    assert [line["event"] for line in log] == ["too_many_connections"]


def test_health_is_the_engines_too(
    guard: RunningGuard, tmp_path: Path, wishes: Wishes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The health check succeeds with the Engine, fails without it, and fails without the guard."""
    monkeypatch.setenv("GUARD_LISTEN", f"0.0.0.0:{guard.port}")
    assert is_healthy()

    with RunningGuard(settings(tmp_path, tmp_path / "no.sock", wishes)) as alone, capture_logs():
        monkeypatch.setenv("GUARD_LISTEN", f"0.0.0.0:{alone.port}")
        assert not is_healthy()
    assert not is_healthy()


def test_an_engine_that_is_away_is_named_as_such(tmp_path: Path, wishes: Wishes) -> None:
    """Without an Engine a call ends at once with 502 and says that it is the Engine that does not answer."""
    with (
        RunningGuard(settings(tmp_path, tmp_path / "no.sock", wishes)) as alone,
        alone.client() as client,
        capture_logs() as log,
        pytest.raises(APIError, match="the Docker Engine does not answer") as error,
    ):
        client.inspect_container(ID)

    assert error.value.status_code == 502
    assert [line["log_level"] for line in log] == ["error"]


def test_the_guard_ends_promptly_whoever_listens(fake_engine: FakeEngine, tmp_path: Path, wishes: Wishes) -> None:
    """Told to stop, the guard ends within 3 s although a log is followed, and its client gets an error, not an end."""
    fake_engine.answers[f"/containers/{ID}/logs"] = lambda handler: (handler.stream(), time.sleep(5))[0]
    with RunningGuard(settings(tmp_path, fake_engine.socket, wishes)) as running:
        connection = socket.create_connection(("127.0.0.1", running.port), timeout=5)
        connection.sendall(LOGS)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        started = time.monotonic()

    with connection:
        assert time.monotonic() - started < 3
        assert b"0\r\n\r\n" not in connection.recv(1000)


def test_docker_py_needs_no_more_than_the_api_version(guard: RunningGuard) -> None:
    """A client with a pinned version starts without asking for more than a ping."""
    with docker.APIClient(f"tcp://127.0.0.1:{guard.port}", version="1.45") as client:
        assert client.ping()
