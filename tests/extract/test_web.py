"""Web sources: what is asked of a server, and what becomes of each of its answers."""

import base64
import gzip
import io
import itertools
import socket
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog
from pydantic import ValidationError

from etl_contract import DataError, NothingToDo, Outcome, SpecError, StageError, Unavailable
from etl_extract.__main__ import extract
from etl_extract._connection import Origin
from etl_extract._network import Forbidden, Transport, is_public
from tests.extract.reading import SOURCE, Extracting
from tests.extract.server import Handler, Request, WebServer

CSV = "id,amount\n1,10.50\n2,-3\n"
ROWS = [{"id": "1", "amount": "10.50"}, {"id": "2", "amount": "-3"}]


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "amount": ["10.50", "-3"]}), file)
    return file.getvalue()


def _zip(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return file.getvalue()


JSON = '{"data": {"items": [{"id": 1, "amount": 10.50}, {"id": 2, "amount": -3}]}}'
NDJSON = '{"id": 1, "amount": 10.50}\n\n{"id": 2, "amount": -3}'


@pytest.mark.parametrize(
    ("name", "body", "about"),
    [
        ("o.csv", CSV.encode(), {}),
        ("o.json", JSON.encode(), {"records": "data.items"}),
        ("o.ndjson", NDJSON.encode(), {}),
        ("o.parquet", _parquet(), {}),
        ("o.csv.gz", gzip.compress(CSV.encode()), {}),
        ("o.json.gz", gzip.compress(JSON.encode()), {"records": "data.items"}),
        ("o.parquet.gz", gzip.compress(_parquet()), {}),
        ("o.zip", _zip(a_csv="id,amount\n1,10.50\n", b_csv="amount,id\n-3,2\n"), {"format": "csv"}),
        ("o.zip", _zip(a_csv=CSV, readme_txt="hello"), {"format": "csv", "member": "*.csv"}),
    ],
)
def test_every_format_arrives(web: WebServer, extracting: Extracting, name: str, body: bytes, about: dict) -> None:
    """The same rows are the same table, whatever they were written in."""
    assert extracting.read(http=web.serve(f"/{name}", body), **about).rows == ROWS


def test_an_answer_that_the_server_packs_is_unpacked(web: WebServer, extracting: Extracting) -> None:
    """Content-Encoding: gzip is asked for, and is no matter to the author."""
    url = web.serve("/o.csv", gzip.compress(CSV.encode()), headers={"Content-Encoding": "gzip"})

    assert extracting.read(http=url).rows == ROWS
    assert web.requests[0].headers["accept-encoding"] == "gzip"


def test_the_interval_is_asked_for_on_the_pipelines_clock(web: WebServer, extracting: Extracting) -> None:
    """{start:...} and {end:...} are local, and what they become cannot change the address."""
    url = web.serve("/2026/11/01/o.csv", CSV)

    extracting.read(
        http=url.replace("2026/11/01", "{start:%Y/%m/%d}") + "?until={end:%H:%M%z}",
        params={"since": "{start:%Y-%m-%dT%H:%M:%S%z}", "limit": 5, "text": "a&b={{}}"},
    )

    assert web.requests[0].params == {
        "since": "2026-11-01T00:00:00-0400",
        "until": "00:00-0500",
        "limit": "5",
        "text": "a&b={}",
    }


def test_declared_columns_have_their_types(web: WebServer, extracting: Extracting) -> None:
    """A declared column is of its type, any other is text."""
    read = extracting.read(http=web.serve("/o.csv", CSV), columns={"amount": "decimal(10,2)"})

    assert read.table.schema == pa.schema([("id", pa.string()), ("amount", pa.decimal128(10, 2))])
    assert [row["amount"] for row in read.rows] == [Decimal("10.50"), Decimal("-3.00")]


# Pages ----------------------------------------------------------------------------------------------------------------


def _items(first: int, last: int) -> str:
    return "[" + ", ".join(f'{{"id": {number}}}' for number in range(first, last + 1)) + "]"


def _by_header(handler: Handler, request: Request) -> None:
    page = int(request.params.get("p", "1"))
    link = {"Link": f'</o.json?p={page + 1}>; rel="next", </o.json>; rel="first"'} if page < 3 else {}
    body = _items(page * 2 - 1, min(page * 2, 5)).encode()
    handler.send(body, headers=link)


def _by_cursor(handler: Handler, request: Request) -> None:
    at = int(request.params.get("after", "0"))
    following = f'"{at + 2}"' if at < 4 else "null"
    handler.send(f'{{"next": {following}, "items": {_items(at + 1, min(at + 2, 5))}}}'.encode())


def _by_link(handler: Handler, request: Request) -> None:
    at = int(request.params.get("from", "0"))
    links = f'{{"next": "/o.json?from={at + 2}"}}' if at < 4 else "{}"
    handler.send(f'{{"items": {_items(at + 1, min(at + 2, 5))}, "links": {links}}}'.encode())


def _by_page(handler: Handler, request: Request) -> None:
    page = int(request.params["page"])
    handler.send(_items(page * 2 - 1, min(page * 2, 5)).encode())


def _by_offset(handler: Handler, request: Request) -> None:
    at, size = int(request.params["skip"]), int(request.params.get("size", "2"))
    handler.send(_items(at + 1, min(at + size, 5)).encode())


@pytest.mark.parametrize(
    ("respond", "about", "requests"),
    [
        (_by_header, {"paging": {"link": "header"}}, 3),
        (_by_cursor, {"paging": {"cursor": "next", "param": "after"}, "records": "items"}, 3),
        (_by_link, {"paging": {"link": "links.next"}, "records": "items"}, 3),
        (_by_page, {"paging": {"page": "page"}}, 4),
        (_by_page, {"paging": {"page": "page", "size": 2}}, 3),
        (_by_offset, {"paging": {"offset": "skip"}}, 4),
        (_by_offset, {"paging": {"offset": "skip", "size": 3, "size_param": "size"}}, 2),
    ],
)
def test_every_page_is_read_once(web: WebServer, extracting: Extracting, respond, about: dict, requests: int) -> None:  # noqa: ANN001
    """Whatever leads from page to page, all records are there, in order, and no page is asked for in vain."""
    read = extracting.read(http=web.route("/o.json", respond), **about)

    assert [row["id"] for row in read.rows] == ["1", "2", "3", "4", "5"]
    assert len(web.requests) == requests


@pytest.mark.parametrize(
    ("respond", "about", "problem"),
    [
        (
            lambda handler, _: handler.send(_items(1, 2).encode()),
            {"paging": {"page": "page"}},
            "DataError: page 2 is the same as the one before: does the server know 'page'?",
        ),
        (
            lambda handler, _: handler.send(b'{"next": "x", "items": []}'),
            {"paging": {"cursor": "next"}, "records": "items"},
            "DataError: the next page is one that has been read",
        ),
        (
            lambda handler, _: handler.send(b'{"next": {"a": 1}, "items": []}'),
            {"paging": {"cursor": "next"}, "records": "items"},
            "DataError: what stands at 'next' leads to no page",
        ),
        (_by_page, {"paging": {"page": "page", "most": 2}}, "SpecError: there are more than 2 pages. Raise 'most'"),
    ],
)
def test_pages_without_an_end_are_told(
    web: WebServer,
    extracting: Extracting,
    respond,  # noqa: ANN001
    about: dict,
    problem: str,
) -> None:
    """A server that leads in a circle, or on and on, ends the run with words."""
    with pytest.raises(StageError) as error:
        extracting.read(http=web.route("/o.json", respond), **about)

    kind, _, words = problem.partition(": ")
    assert type(error.value).__name__ == kind
    assert words in str(error.value)


# Who we are -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "sent"),
    [
        ({"token": "t0ps3cret\n"}, {"authorization": "Bearer t0ps3cret"}),
        (
            {"username": "ada", "password": "t0ps3cret"},
            {"authorization": "Basic " + base64.b64encode(b"ada:t0ps3cret").decode()},
        ),
        ({"headers": "X-API-Key: t0ps3cret\n"}, {"x-api-key": "t0ps3cret"}),
        ({"params": "api_key=t0ps3cret"}, {"api_key": "t0ps3cret"}),
    ],
)
def test_a_connections_secrets_go_to_its_server_only(
    web: WebServer, extracting: Extracting, files: dict, sent: dict
) -> None:
    """The server sees them; another one that it redirects to does not; no message and no log line shows them."""
    extracting.connection("shop", uri=f"{web.url}/", **files)
    web.route("/away.csv", lambda handler, _: handler.send(b"", 302, {"Location": web.url.replace("127.0.0.1", "localhost") + "/o.csv"}))  # fmt: skip  # noqa: E501
    web.serve("/o.csv", CSV)
    web.serve("/echo.csv", "the key t0ps3cret is not known", 400)

    with structlog.testing.capture_logs() as logs:
        extracting.read(http=f"{web.url}/o.csv", connection="shop")
        extracting.read(http=f"{web.url}/away.csv", connection="shop", hosts=["localhost"])
        with pytest.raises(SpecError) as error:
            extracting.read(http=f"{web.url}/echo.csv", connection="shop")

    asked, away, led, _ = web.requests
    for request in (asked, away):
        assert sent.items() <= (request.headers | request.params).items()
    assert "t0ps3cret" not in str(led)
    assert "authorization" not in led.headers
    assert "t0ps3cret" not in f"{error.value}{logs}"


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ({"http": "https://ada:secret@example.org/o.csv"}, "a password has no place in this file"),
        ({"http": "https://example.org/o.csv", "headers": {"Authorization": "x"}}, "'Authorization' has no place in"),
        ({"http": "https://example.org/o.csv", "headers": {"X-A": "b\r\nEvil: c"}}, "characters that a header cannot"),
        ({"http": "ftp://example.org/o.csv"}, "is no address; write one such as https://example.org/orders.csv"),
        ({"http": "https://{start}.example.org/o.csv"}, "is no address"),
        ({"http": "https://example.org/orders"}, "format: required, since the name does not end with one"),
        ({"http": "https://example.org/{day}.csv"}, "there is no value for '{day}'; write {start:%Y-%m-%d}"),
        ({"http": "https://example.org/{start.__class__}.csv"}, "there is no value for '{start.__class__}'"),
        ({"http": "https://example.org/o.csv", "params": {"a": "{end!r}"}}, "there is no value for '{end}'"),
        ({"http": "https://example.org/{start.csv"}, "cannot be filled in"),
        ({"http": "https://example.org/o.csv", "records": "a"}, "records: has no meaning for format 'csv'"),
        ({"http": "https://example.org/o.csv", "paging": {"cursor": "next"}}, "has no meaning for format 'csv'"),
        ({"http": "https://example.org/o.csv", "paging": {}}, "give one of 'link', 'cursor', 'page' and 'offset'"),
        ({"http": "https://example.org/{end:%Y}.csv", "skip_unchanged": True}, "skip_unchanged: has no meaning"),
        ({"http": "https://example.org/o.csv", "columns": {"a": "number"}}, "'number' is not a type; write text"),
        ({"http": "https://example.org/o.csv", "columns": {"a": "decimal(99,2)"}}, "'decimal(99,2)' cannot be"),
        ({"http": "https://example.org/o.csv", "encoding": "klingon"}, "'klingon' is no encoding"),
        ({"http": "https://example.org/o.csv", "timezone": "Mars"}, "there is no time zone 'Mars'"),
        ({"http": "https://example.org/o.csv", "max_size": "lots"}, "'lots' is no size"),
        ({"http": "https://example.org/o.csv", "quote": ","}, "delimiter, quote and escape are three different"),
        ({"http": "https://example.org/o.csv", "header": False}, "columns: required where there is no header"),
        ({"files": "/etc/passwd", "format": "csv"}, "'/etc/passwd' is absolute; write a pattern below the inbox"),
        ({"files": "../secrets/*.csv"}, "has an empty part, a '.' or a '..'"),
        ({"files": "file:///etc/passwd.csv"}, "is of no known store; write one of: s3://"),
        ({"files": "s3://bucket"}, "names no file of a bucket"),
        ({"files": "o.csv", "connection": "shop"}, "connection: has no meaning for files of the inbox"),
        ("orders", "this is not a source; write one of: sql, http, files"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_runs(about: object, problem: str) -> None:
    """The author's file is refused, with the field and the remedy."""
    with pytest.raises(ValidationError) as error:
        SOURCE.validate_python(about)

    assert problem in str(error.value)


def test_a_connection_that_is_not_one_is_told(extracting: Extracting) -> None:
    """The message names the connection, and the file of it."""
    for files, problem in (
        ({}, "there is no connection 'shop'"),
        ({"uri": "postgresql://a/b"}, "connection 'shop' is of kind 'postgresql'"),
        ({"uri": "https://a", "headers": "no sign"}, "line 1 of the file 'headers' of connection 'shop' has no ':'"),
    ):
        extracting.connection("shop", **files)
        with pytest.raises(SpecError, match=problem):
            extracting.read(http="https://example.org/o.csv", connection="shop")


# Answers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "problem"),
    [
        (204, NothingToDo, "there is nothing (204 No Content)"),
        (400, SpecError, "the server refuses this (400 Bad Request): 'unknown field <day>'"),
        (401, SpecError, "we may not (401 Unauthorized), without a connection"),
        (403, SpecError, "we may not (403 Forbidden)"),
        (404, SpecError, "there is no such page (404 Not Found). Correct the address"),
        (410, SpecError, "there is no such page (410 Gone)"),
        (206, DataError, "the server answers with 206 Partial Content"),
        (429, Unavailable, "not now (429 Too Many Requests) (2 tries)"),
        (500, Unavailable, "not now (500 Internal Server Error) (2 tries)"),
        (503, Unavailable, "not now (503 Service Unavailable) (2 tries)"),
    ],
)
def test_each_status_has_its_outcome(
    web: WebServer, extracting: Extracting, status: int, kind: type[StageError], problem: str
) -> None:
    """What a person must mend fails, what passes is tried again, what is nothing is skipped."""
    url = web.serve("/o.csv", "" if status == 204 else "unknown field <day>", status)

    with pytest.raises(kind) as error:
        extracting.read(http=url, tries=2)

    assert str(error.value).startswith(f"extract.orders, {url}: {problem}")
    assert len(web.requests) == (2 if kind is Unavailable else 1)


def test_a_server_that_stumbles_is_asked_again(web: WebServer, extracting: Extracting) -> None:
    """An error, a connection that breaks off and a hung up one are forgotten once an answer is whole."""
    stumbles = itertools.count()

    def respond(handler: Handler, _: Request) -> None:
        match next(stumbles):
            case 0:
                handler.send(b"", 503)
            case 1:
                handler.close_connection = True
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nid,am")
            case 2:
                handler.connection.shutdown(socket.SHUT_RDWR)
                handler.close_connection = True
            case _:
                handler.send(CSV.encode())

    assert extracting.read(http=web.route("/o.csv", respond)).rows == ROWS
    assert len(web.requests) == 4


def test_a_server_is_given_the_time_that_it_asks_for(web: WebServer, extracting: Extracting) -> None:
    """Retry-After is waited for; one that is too long is left to the stage's own retries."""
    times: list[float] = []

    def respond(handler: Handler, _: Request) -> None:
        times.append(time.monotonic())
        handler.send(CSV.encode(), 200 if len(times) > 1 else 429, {"Retry-After": "1"})

    extracting.read(http=web.route("/o.csv", respond))
    with pytest.raises(Unavailable, match="not now"):
        extracting.read(http=web.serve("/later.csv", "", 503, {"Retry-After": "86400"}))

    assert times[1] - times[0] >= 1
    assert len(web.requests) == 3


def test_requests_keep_their_rate(web: WebServer, extracting: Extracting) -> None:
    """Pages come no faster than the author says."""
    started = time.monotonic()
    extracting.read(http=web.route("/o.json", _by_page), paging={"page": "page"}, rate=10)

    assert time.monotonic() - started >= 0.3
    assert len(web.requests) == 4


@pytest.mark.parametrize(
    ("respond", "problem"),
    [
        (lambda handler, _: handler.server.stopping.wait(5), "no answer within 0.3 seconds"),
        (
            lambda handler, _: handler.pour(iter([b"id\n"] * 3), pause=2),
            "it stopped sending for 0.3 seconds",
        ),
        (lambda handler, _: handler.pour(itertools.repeat(b"1\n"), pause=0.05), "it sends too slowly"),
    ],
    ids=["silent", "hung up", "dripping"],
)
def test_a_server_that_does_not_send_is_given_up(web: WebServer, extracting: Extracting, respond, problem: str) -> None:  # noqa: ANN001
    """Silence, and drops, end after the author's patience."""
    started = time.monotonic()
    with pytest.raises(Unavailable, match=problem):
        extracting.read(http=web.route("/o.csv", respond), timeout=0.3, tries=1)

    assert time.monotonic() - started < 4


def test_an_answer_without_end_is_cut_off(web: WebServer, extracting: Extracting) -> None:
    """A server that sends on and on reaches `max_size`, not the disk's end; so does one that says so at once."""
    endless = web.route("/endless.csv", lambda handler, _: handler.pour(itertools.repeat(b"1,2\n" * 10_000)))
    announced = web.serve("/large.csv", "id\n", headers={"Content-Length": "99999999"})

    for url in (endless, announced):
        with pytest.raises(DataError, match=r"it has more than 1,048,576 bytes. If it is meant to be that large"):
            extracting.read(http=url, max_size="1m")


def test_a_page_for_people_is_told(web: WebServer, extracting: Extracting) -> None:
    """A login page is no data, whatever the status says."""
    url = web.serve("/o.csv", "\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>")

    with pytest.raises(DataError, match="it is an HTML page with the title 'Sign in' where csv should be"):
        extracting.read(http=url)


# What is remembered ---------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_skipped(web: WebServer, warehouse: str, connections: Path, tmp_path: Path) -> None:
    """The version that was loaded last is named to the server; without a change the run is skipped."""

    def respond(handler: Handler, request: Request) -> None:
        same = request.headers.get("if-none-match") == '"v1"'
        handler.send(b"" if same else CSV.encode(), 304 if same else 200, {"ETag": '"v1"', "Last-Modified": "today"})

    orders = {"http": web.route("/o.csv", respond), "skip_unchanged": True}
    task = Extracting(tmp_path).task(orders=orders)
    first = extract(task, connections)
    with psycopg.connect(warehouse) as connection:
        for mark in first.watermarks:
            connection.execute(
                "insert into etl.watermarks (pipeline, source, field, value, run_id) values ('shop', %s, %s, %s, 'r')",
                (mark.source, mark.field, mark.value),
            )

    assert [(mark.field, mark.value) for mark in first.watermarks] == [("etag", '"v1"'), ("last-modified", "today")]
    with pytest.raises(NothingToDo, match="nothing changed since the last load"):
        extract(task, connections)
    assert web.requests[-1].headers["if-modified-since"] == "today"


def test_what_has_not_changed_is_there_where_another_source_has(
    web: WebServer, warehouse: str, connections: Path, tmp_path: Path
) -> None:
    """A transform of two sources gets both, as soon as one of them has something new."""
    web.route("/same.csv", lambda handler, request: handler.send(CSV.encode(), 304 if "if-none-match" in request.headers else 200))  # fmt: skip  # noqa: E501
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "insert into etl.watermarks (pipeline, source, field, value, run_id) values ('shop', 'a', 'etag', 'x', 'r')"
        )
    task = Extracting(tmp_path).task(
        a={"http": f"{web.url}/same.csv", "skip_unchanged": True}, b={"http": web.serve("/b.csv", CSV)}
    )

    result = extract(task, connections)

    assert result.outcome is Outcome.done
    assert {dataset.name: dataset.rows for dataset in result.datasets} == {"a": 2, "b": 2}


# Where we may go ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://127.0.0.1:1/o.csv", "it leads inside: 127.0.0.1:1 is 127.0.0.1, an address inside"),
        ("http://localhost:1/o.csv", "an address inside. If it is one of your own, name its host under 'hosts'"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, an address inside"),
        ("http://[::1]:8080/", "::1, an address inside"),
        ("http://[::ffff:10.0.0.1]/", "an address inside"),
        ("http://2130706433/", "127.0.0.1, an address inside"),
        ("http://0/", "0.0.0.0, an address inside"),
        ("file:///etc/passwd", "it leads to 'file:///etc/passwd', which is no web address"),
        ("gopher://example.org/", "which is no web address"),
        ("http://[", "which is no address"),
        ("/again", "more than 10 redirects"),
    ],
)
def test_a_redirect_never_leads_inside(web: WebServer, extracting: Extracting, location: str, problem: str) -> None:
    """However an address inside is written, it is not connected to unless the author names it."""
    url = web.serve("/o.csv", "", 302, {"Location": location})
    web.serve("/again", "", 302, {"Location": "/again"})

    with pytest.raises(DataError) as error:
        extracting.read(http=url)

    assert problem in str(error.value)


def test_a_redirect_to_the_same_server_is_followed(web: WebServer, extracting: Extracting) -> None:
    """The author has named it."""
    web.serve("/o.csv", CSV)

    assert extracting.read(http=web.serve("/old.csv", "", 301, {"Location": "/o.csv"})).rows == ROWS


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("172.31.255.255", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.8.8.8", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - judged, not bound
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:  # noqa: FBT001 - of a table
    """Private, shared, loopback, link-local, multicast and reserved ones are not, in no disguise."""
    assert is_public(address) is public


def test_an_address_that_the_author_names_is_reached_though_it_is_inside(web: WebServer) -> None:
    """But not its neighbour at another port."""
    web.serve("/", "hello")
    port = web.server_address[1]
    with httpx.Client(transport=Transport([Origin("http", "127.0.0.1", port)], [])) as client:
        assert client.get(f"{web.url}/").text == "hello"
        with pytest.raises(Forbidden):
            client.get(f"http://127.0.0.1:{port + 1}/")
