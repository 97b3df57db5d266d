"""Reads web sources: fetches the answer or its pages, keeps them on disk, and makes Arrow batches of them."""

import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import structlog

from etl_contract import ExtractTask, HttpSource, Interval, Watermark
from etl_extract._connection import CONNECTIONS, web_connection
from etl_extract._document import Document
from etl_extract._fetch import Fetcher
from etl_extract._paging import Pages
from etl_extract._reading import Reading
from etl_extract._rows import Rows
from etl_extract._spool import Spool

log = structlog.get_logger()


class WebReader:
    """Reads web sources of one run."""

    def __init__(self, task: ExtractTask, connections: Path = CONNECTIONS) -> None:
        self._task, self._folder = task, connections

    @contextmanager
    def rows(self, name: str, source: HttpSource, *, anew: bool = False) -> Iterator[Rows]:
        """Fetch a source, and give its rows; `anew` also if they have not changed since the last load.

        Raises:
            SpecError: the address, its parameters or the connection are wrong.
            Unavailable: the server does not answer.
            DataError: the answer is not what the source declares.
            NothingToDo: the server says that there is nothing, or nothing new.
        """
        where = f"extract.{name}"
        connection = web_connection(source.connection, where, self._folder) if source.connection else None
        known = self._known(name, source, anew=anew)
        with Spool(f"{self._task.run_uri}/extract") as spool, Fetcher(source, connection, spool, where) as fetcher:
            reading = Reading(source, where, spool)
            url = httpx.URL(filled(source.http, self._task.interval, quoted=True)).copy_merge_params(
                {key: filled(str(value), self._task.interval) for key, value in source.params.items()}
            )
            if source.paging is not None:
                documents = list(Pages(source.paging, fetcher, where).walk(url, reading.count))
                log.info(f"fetched {len(documents)} pages of {name}")
                yield Rows(*reading.rows(documents))
                return
            answer = fetcher.get(url, _conditions(known))
            marks = {"etag": answer.etag, "last-modified": answer.modified} if source.skip_unchanged else {}
            versions = tuple(Watermark(source=name, field=key, value=value) for key, value in marks.items() if value)
            yield Rows(*reading.rows([Document(_name(url), answer.document.open)]), watermarks=lambda: versions)

    def _known(self, name: str, source: HttpSource, *, anew: bool) -> dict[str, str]:
        """Give what the warehouse remembers of a source that wants to know."""
        if anew or self._task.full_refresh or not source.skip_unchanged:
            return {}
        from etl_extract._ledger import watermarks  # noqa: PLC0415 - most web sources need no warehouse

        return watermarks(self._task.pipeline, name, self._folder)


def filled(template: str, interval: Interval, *, quoted: bool = False) -> str:
    """Fill the interval into a template, as the pipeline's clock shows it."""
    moments = {"start": interval.local_start, "end": interval.local_end}
    parts = []
    for text, name, spec, _ in string.Formatter().parse(template):
        value = "" if name is None else format(moments[name], spec) if spec else moments[name].isoformat()
        parts += [text, quote(value, safe="/:") if quoted else value]
    return "".join(parts)


def _conditions(known: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {names[field]: value for field, value in known.items() if field in names}


def _name(url: httpx.URL) -> str:
    """Name an answer as its address does, without parameters."""
    return url.path.rpartition("/")[2] or "the answer"
