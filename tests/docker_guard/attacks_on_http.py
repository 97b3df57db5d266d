"""Lists attacks by the way in which a request is written: what two parsers would read as two different things."""

from tests.docker_guard.attacks import HOST, JSON, SOCKET, Attack, Target, create, creating, head, request, text

PING = b"GET /_ping HTTP/1.1\r\n" + HOST + b"\r\n"
LENGTH = b"Content-Length: LENGTH\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
MALFORMED = 400


def _chunked(target: Target) -> bytes:
    raw = text(target).encode()
    start = f"POST /v1.45/containers/create?name={target.wishes.name()} HTTP/1.1\r\n".encode()
    return start + HOST + JSON + CHUNKED + b"\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw)


def _cut_off(target: Target) -> bytes:
    return create(target, text(target).encode()).replace(b"Content-Length: ", b"Content-Length: 1", 1)


def _kill(target: Target) -> bytes:
    return request(f"/v1.45/containers/{target.stage}/kill")


def _privileged(target: Target) -> bytes:
    raw = text(target).replace('"NetworkMode"', f'"Privileged": true, "Binds": ["{SOCKET}:{SOCKET}"], "NetworkMode"')
    return create(target, raw.encode())


ON_HTTP: dict[str, Attack] = {
    "HTTP/1.0": head(HOST, "not HTTP/1.1", start=b"GET /_ping HTTP/1.0"),
    "HTTP/1.0, kept alive": head(HOST + b"Connection: keep-alive\r\n", "not HTTP/1.1", start=b"GET /_ping HTTP/1.0"),
    "HTTP/0.9": head(b"", "not HTTP/1.1", start=b"GET /_ping"),
    "HTTP/1.2": head(HOST, "", MALFORMED, start=b"GET /_ping HTTP/1.2"),
    "HTTP/2.0": head(HOST, "not HTTP/1.1", start=b"GET /_ping HTTP/2.0"),
    "HTTP/9.9": head(HOST, "", MALFORMED, start=b"GET /_ping HTTP/9.9"),
    "HTTP/2's preface": Attack(lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9, "", MALFORMED),
    "TLS": Attack(lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32, "", MALFORMED),
    "upgrade to TCP": head(HOST + b"Connection: Upgrade\r\nUpgrade: tcp\r\n", "Upgrade"),
    "upgrade to HTTP/2": head(HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", "Upgrade"),
    "upgrade to a web socket": head(HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n", "Upgrade"),
    "upgrade of a log": Attack(
        lambda target: request(
            f"/v1.45/containers/{target.stage}/logs?stdout=1",
            method="GET",
            head=HOST + b"Connection: Upgrade\r\nUpgrade: tcp\r\n",
        ),
        "Upgrade",
    ),
    "length and chunks": creating(JSON + LENGTH + CHUNKED, "", MALFORMED),
    "chunks and length": creating(JSON + CHUNKED + LENGTH, "", MALFORMED),
    "chunks": Attack(_chunked, "Transfer-Encoding"),
    "chunks in capitals": creating(JSON + b"TRANSFER-ENCODING: CHUNKED\r\n", "", MALFORMED),
    "chunks twice": head(HOST + CHUNKED + CHUNKED, "", MALFORMED),
    "chunks after a tab": head(HOST + b"Transfer-Encoding:\tchunked\r\n", "Transfer-Encoding"),
    "chunks with a vertical tab": head(HOST + b"Transfer-Encoding: \x0bchunked\r\n", "", MALFORMED),
    "another coding": head(HOST + b"Transfer-Encoding: xchunked\r\n", "", MALFORMED),
    "identity and length": creating(JSON + LENGTH + b"Transfer-Encoding: identity\r\n", "", MALFORMED),
    "chunks, not last": head(HOST + b"Transfer-Encoding: chunked, identity\r\n", "", MALFORMED),
    "a bad chunk": Attack(lambda target: _chunked(target).replace(b"\r\n\r\n", b"\r\n\r\nZZ\r\n", 1), "", 0),
    "two lengths": creating(JSON + LENGTH + b"Content-Length: 0\r\n", "", MALFORMED),
    "two equal lengths": creating(JSON + LENGTH + LENGTH, "", MALFORMED),
    "a list of lengths": creating(JSON + b"Content-Length: LENGTH, LENGTH\r\n", "", MALFORMED),
    "a length with a sign": creating(JSON + b"Content-Length: +LENGTH\r\n", "", MALFORMED),
    "a length below 0": creating(JSON + b"Content-Length: -LENGTH\r\n", "", MALFORMED),
    "a length in hexadecimal": creating(JSON + b"Content-Length: 0x10\r\n", "", MALFORMED),
    "a length beyond all": creating(JSON + b"Content-Length: 18446744073709551617\r\n", "", MALFORMED),
    "a length of a gigabyte": creating(JSON + b"Content-Length: 1073741824\r\n", "must have 1 to 1048576"),
    "a length of 0": creating(JSON + b"Content-Length: 0\r\n", "", MALFORMED),
    "no length": creating(JSON, "", MALFORMED),
    "a body cut off": Attack(_cut_off, "", 0),
    "a body without a call": head(HOST + b"Content-Length: 4\r\n\r\nnull", "only a create call has a body"),
    "a body of text": creating(b"Content-Type: text/plain\r\n" + LENGTH, "must be application/json"),
    "a body of a form": creating(
        b"Content-Type: application/x-www-form-urlencoded\r\n" + LENGTH, "must be application/json"
    ),
    "a body of two types": creating(b"Content-Type: text/plain\r\n" + JSON + LENGTH, "", MALFORMED),
    "a body in another alphabet": creating(
        b"Content-Type: application/json; charset=utf-16\r\n" + LENGTH, "must be application/json"
    ),
    "a body of no type": creating(LENGTH, "must be application/json"),
    "a body that is packed": creating(JSON + LENGTH + b"Content-Encoding: gzip\r\n", "Content-Encoding"),
    "a body later": creating(JSON + LENGTH + b"Expect: 100-continue\r\n", "Expect"),
    "a trailer": creating(JSON + LENGTH + b"Trailer: Host\r\n", "Trailer"),
    "a space before a colon": head(HOST + b"Content-Length : 0\r\n", "", MALFORMED),
    "a space before a name": head(HOST + b" Content-Length: 0\r\n", "", MALFORMED),
    "a folded line": head(HOST + b"X: a\r\n b\r\n", "", MALFORMED),
    "line feeds alone": Attack(lambda _: b"GET /_ping HTTP/1.1\nHost: x\n\n", "", MALFORMED),
    "returns alone": Attack(lambda _: b"GET /_ping HTTP/1.1\rHost: x\r\r\r\n\r\n", "", MALFORMED),
    "a NUL in a head": head(HOST + b"X: a\0b\r\n", "", MALFORMED),
    "a NUL in a name": head(HOST + b"X\0: a\r\n", "", MALFORMED),
    "no name": head(HOST + b": a\r\n", "", MALFORMED),
    "no colon": head(HOST + b"Content-Length\r\n", "", MALFORMED),
    "a long value": head(HOST + b"X: " + b"a" * 600 + b"\r\n", "", MALFORMED),
    "a huge value": head(HOST + b"X: " + b"a" * 1_000_000 + b"\r\n", "", MALFORMED),
    "a huge name": head(HOST + b"X" * 1_000_000 + b": a\r\n", "", MALFORMED),
    "many values": head(HOST + b"".join(b"X%d: a\r\n" % n for n in range(10_000)), "", MALFORMED),
    "a long line": head(HOST, "", MALFORMED, start=b"GET /" + b"a" * 100_000 + b" HTTP/1.1"),
    "a long method": head(HOST, "", MALFORMED, start=b"G" * 100_000 + b" / HTTP/1.1"),
    "a method in small letters": head(HOST, "", MALFORMED, start=b"get /_ping HTTP/1.1"),
    "a space in a path": head(HOST, "", MALFORMED, start=b"GET /_ping /info HTTP/1.1"),
    "bytes of no letter in a path": head(HOST, "", 0, start=b"GET /\xff\xfe HTTP/1.1"),
    "a control character in a path": head(HOST, "", 0, start=b"GET /_ping\x01 HTTP/1.1"),
    "garbage": Attack(lambda _: bytes(range(256)) * 8 + b"\r\n\r\n", "", MALFORMED),
}

# What is hidden behind a request that is answered, or refused: it must never be read as a request of its own.
PIPELINED = {
    "a kill behind a ping": lambda target: PING + _kill(target),
    "a container behind a ping": lambda target: PING + _privileged(target),
    "a container behind a kept ping": lambda target: (
        PING.replace(b"Host", b"Connection: keep-alive\r\nHost") + _privileged(target)
    ),
    "a hundred pings": lambda _: PING * 100,
    "a kill behind a line feed": lambda target: b"\r\n" + PING + b"\n" + _kill(target),
    "a kill behind a log": lambda target: (
        request(f"/v1.45/containers/{target.stage}/logs?stdout=1", method="GET") + _kill(target)
    ),
    "a kill in a ping's body": lambda target: (
        b"GET /_ping HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(_kill(target)) + _kill(target)
    ),
    "a kill behind chunks": lambda target: (
        b"GET /_ping HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n" + _kill(target)
    ),
    "a kill behind a refused body": lambda target: create(target, b"{}") + _kill(target),
    "a kill behind a short length": lambda target: (
        request("/v1.45/containers/create?name=x", b"{}").replace(b"Content-Length: 2", b"Content-Length: 1")
        + _kill(target)
    ),
    "a kill behind an upgrade": lambda target: (
        b"GET /_ping HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + _kill(target)
    ),
    "a kill behind a wait": lambda target: request(f"/v1.45/containers/{target.other}/wait") + _kill(target),
    "a kill by another method": lambda target: request(
        f"/v1.45/containers/{target.stage}/json",
        method="GET",
        head=HOST + b"X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /v1.45/containers/prune\r\n",
    ),
}
