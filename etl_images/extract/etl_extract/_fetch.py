"""Fetches a web server's answer: tries again what may pass, follows redirects where they may lead, keeps the limits."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, NoReturn, Self
from urllib.parse import urlsplit

import httpx
import stamina
import structlog

from etl_contract import DataError, HttpSource, NothingToDo, SpecError, StageError, Unavailable
from etl_extract._connection import Origin, WebConnection
from etl_extract._faults import shown
from etl_extract._network import Forbidden, Transport
from etl_extract._spool import Slice, Spool

MOST_REDIRECTS = 10
MOST_WAIT = 120.0  # a server that asks for more is left to Airflow's own retries
LEAST_BYTES = 1024  # in every span of `timeout` seconds
_AGENT = "etl-platform"
_AGAIN = {408, 425, 429}

log = structlog.get_logger()
stamina.instrumentation.set_on_retry_hooks([])  # its own words tell arguments; ours are below


class Answer(NamedTuple):
    """What a server answered: the document, and the headers that matter."""

    document: Slice
    url: str
    etag: str
    modified: str
    next: str | None


class _Again(Exception):
    """May pass: what is wrong, and how long the server asks us to wait."""

    def __init__(self, problem: str, wait: float = 0) -> None:
        self.problem, self.wait = problem, wait
        super().__init__(problem)


class Fetcher(AbstractContextManager["Fetcher"]):
    """Sends the requests of one source."""

    def __init__(self, source: HttpSource, connection: WebConnection | None, spool: Spool, where: str) -> None:
        self._source, self._connection, self._spool, self._where = source, connection, spool, where
        self._left = source.most_bytes
        self._next_request = 0.0
        self._own = Origin.of(source.http)
        named = {self._own} | ({connection.origin} if connection else set())
        transport = Transport(named, source.hosts, connection.ca if connection else None)
        self._client = httpx.Client(
            transport=transport, timeout=httpx.Timeout(source.timeout, connect=min(source.timeout, 10)), trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: httpx.URL, conditions: Mapping[str, str] | None = None) -> Answer:
        """Fetch an address.

        Raises:
            SpecError: the address, or who we are, is wrong.
            Unavailable: the server does not answer, or not now.
            DataError: what it sends is too large, or not what it should be.
            NothingToDo: it says that there is nothing, or nothing new.
        """
        try:
            for attempt in stamina.retry_context(
                on=_pause, attempts=self._source.tries, timeout=None, wait_initial=0.5, wait_max=30
            ):
                with attempt:
                    if attempt.num > 1:
                        log.warning(f"asking {self._shown(url)} again", attempt=attempt.num)
                    return self._followed(url, conditions or {})
        except _Again as error:
            tries = f" ({self._source.tries} tries)" if self._source.tries > 1 else ""
            hint = "The stage is tried again later."
            raise self._error(Unavailable, url, f"{error.problem}{tries}", hint) from error
        raise AssertionError  # the loop ends in one of these ways

    def _followed(self, url: httpx.URL, conditions: Mapping[str, str]) -> Answer:
        """Send a request, and go where the answer points to."""
        first = url
        for _ in range(MOST_REDIRECTS + 1):
            with self._response(url, conditions) as response:
                if not response.has_redirect_location:
                    return self._kept(response, url)
                url = self.led(url, response.headers["location"])
        raise self._error(DataError, first, f"more than {MOST_REDIRECTS} redirects", "Ask for where they lead to.")

    def led(self, url: httpx.URL, location: str) -> httpx.URL:
        """Give the address that an answer points to, if we may go there."""
        try:
            urlsplit(location)  # stricter than httpx
            there = url.join(location)
            origin = Origin.of(str(there))
        except (httpx.InvalidURL, ValueError) as error:
            raise self._error(DataError, url, f"it leads to {shown(location)}, which is no address", "") from error
        if there.scheme not in {"http", "https"} or not there.host:
            raise self._error(DataError, url, f"it leads to {shown(location)}, which is no web address", "")
        if url.scheme == "https" and there.scheme == "http" and origin != self._own:
            raise self._error(DataError, url, f"it leads from https to {shown(location)}, which anybody may read", "")
        return there

    @contextmanager
    def _response(self, url: httpx.URL, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        self._keep_rate()
        origin = Origin.of(str(url))
        asked = url
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "gzip", "Accept": "*/*"}
        if origin == self._own:
            headers |= {**self._source.headers, **conditions}
        if self._connection and origin == self._connection.origin:
            headers |= self._connection.headers
            asked = url.copy_merge_params(self._connection.params)
        request = self._client.build_request("GET", asked, headers=headers)
        try:
            response = self._client.send(request, stream=True)
        except Forbidden as error:
            hint = "If it is one of your own, name its host under 'hosts'."
            raise self._error(DataError, url, f"it leads inside: {error}", hint) from error
        except httpx.TimeoutException as error:
            raise _Again(f"no answer within {self._source.timeout:g} seconds") from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                hint = "If it has a certificate of your own, put ca.pem into a connection."
                raise self._error(SpecError, url, f"its certificate is not trusted: {error}", hint) from error
            raise _Again(f"it does not answer: {str(error) or type(error).__name__}") from error
        try:
            yield response
        finally:
            response.close()

    def _kept(self, response: httpx.Response, url: httpx.URL) -> Answer:
        """Keep the body of an answer that has one."""
        self._judge(response, url)
        if (packed := response.headers.get("content-encoding", "identity").lower()) not in {
            "identity",
            "gzip",
            "x-gzip",
        }:
            raise self._error(DataError, url, f"it is packed with {shown(packed)}, which was not asked for", "")
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._left:
            self._refuse_size(url)
        try:
            document = self._spool.keep(self._body(response), self._left, f"{self._where}, {self._shown(url)}")
        except httpx.TimeoutException as error:
            raise _Again(f"it stopped sending for {self._source.timeout:g} seconds") from error
        except httpx.TransportError as error:
            raise _Again(f"it broke off: {error}") from error
        self._left -= document.size
        link = response.links.get("next", {}).get("url")
        return Answer(
            document, str(url), response.headers.get("etag", ""), response.headers.get("last-modified", ""), link
        )

    def _body(self, response: httpx.Response) -> Iterator[bytes]:
        """Give what arrives, as it is; a server that only drips is given up."""
        since, size = time.monotonic(), 0
        for chunk in response.iter_raw():
            size += len(chunk)
            yield chunk
            if (seconds := time.monotonic() - since) > self._source.timeout:
                if size < LEAST_BYTES:
                    raise _Again(f"it sends too slowly: {size} bytes in {seconds:.0f} seconds")
                since, size = time.monotonic(), 0

    def _judge(self, response: httpx.Response, url: httpx.URL) -> None:
        status = response.status_code
        said = f"{status} {response.reason_phrase}".strip()
        match status:
            case 200:
                return
            case 204:
                raise self._error(NothingToDo, url, f"there is nothing ({said})", "")
            case 304:
                raise self._error(NothingToDo, url, f"nothing changed since the last load ({said})", "")
            case 401 | 403 | 407:
                who = f"as connection '{self._source.connection}'" if self._connection else "without a connection"
                hint = "Check the connection's secret, and that its 'uri' is of this server."
                raise self._error(SpecError, url, f"we may not ({said}), {who}", hint)
            case 404 | 410:
                raise self._error(SpecError, url, f"there is no such page ({said})", "Correct the address.")
            case _ if status in _AGAIN or status >= 500:  # noqa: PLR2004 - a server's error
                raise _Again(f"not now ({said})", _wait_of(response))
            case _ if 400 <= status < 500:  # noqa: PLR2004 - our error
                hint = "Correct the address and its parameters."
                raise self._error(SpecError, url, f"the server refuses this ({said}): {self._words(response)}", hint)
            case _:
                raise self._error(DataError, url, f"the server answers with {said}", "An answer with rows is 200.")

    def _words(self, response: httpx.Response) -> str:
        """Give the first words of an answer."""
        words = b""
        try:
            for chunk in response.iter_bytes():
                words += chunk
                if len(words) > 200:  # noqa: PLR2004 - a sentence
                    break
        except httpx.HTTPError:
            pass
        text = words.decode("utf-8", "replace")
        return shown(" ".join((self._connection.hide(text) if self._connection else text).split()))

    def _keep_rate(self) -> None:
        if self._source.rate is not None:
            time.sleep(max(0, self._next_request - time.monotonic()))
            self._next_request = time.monotonic() + 1 / self._source.rate

    def _refuse_size(self, url: httpx.URL) -> NoReturn:
        hint = "If it is meant to be that large, raise 'max_size'."
        raise self._error(DataError, url, f"it has more than {self._source.most_bytes:,} bytes", hint)

    def _shown(self, url: httpx.URL) -> str:
        text = str(url.copy_with(userinfo=None))
        return self._connection.hide(text) if self._connection else text

    def _error(self, kind: type[StageError], url: httpx.URL, problem: str, hint: str) -> StageError:
        return kind(problem, where=f"{self._where}, {self._shown(url)}", hint=hint)


def _pause(error: Exception) -> bool | float:
    """Say whether a request is worth another try, and after how long if the server has said so."""
    if not isinstance(error, _Again) or error.wait > MOST_WAIT:
        return False
    return error.wait or True


def _wait_of(response: httpx.Response) -> float:
    """Read Retry-After: seconds, or a date."""
    written = response.headers.get("retry-after", "").strip()
    if written.isdecimal() and written.isascii():
        return float(written[:9])
    try:
        return max(0.0, math.ceil((parsedate_to_datetime(written) - datetime.now(UTC)).total_seconds()))
    except (ValueError, TypeError):
        return 0.0
