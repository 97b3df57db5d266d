"""Walks the pages of an answer: by a link, a cursor, a number or an offset, until the last, and not in a circle."""

from collections.abc import Callable, Iterator

import httpx

from etl_contract import DataError, Paging, SpecError
from etl_extract._document import Document
from etl_extract._faults import shown
from etl_extract._fetch import Answer, Fetcher


class Pages:
    """Gives the pages of a source, in order."""

    def __init__(self, paging: Paging, fetcher: Fetcher, where: str) -> None:
        self._paging, self._fetcher, self._where = paging, fetcher, where

    def walk(self, url: httpx.URL, count: Callable[[Document], int]) -> Iterator[Document]:
        """Fetch page after page; `count` counts the records of one.

        Raises:
            DataError: a page comes again.
            SpecError: there are more pages than may be.
        """
        paging = self._paging
        if paging.size_param is not None:
            url = url.copy_set_param(paging.size_param, paging.size)
        seen: set[str] = set()
        previous, before = "", 0
        for number in range(paging.most):
            here = self._numbered(url, number, before)
            if str(here) in seen:
                hint = "Report it to whoever runs the server."
                raise DataError("the next page is one that has been read", where=f"{self._where}, {here}", hint=hint)
            seen.add(str(here))
            answer = self._fetcher.get(here)
            page = Document(f"page {number + 1}", answer.document.open)
            if paging.kind in {"page", "offset"}:
                records, digest = count(page), answer.document.sha256
                if records and digest == previous:
                    name = paging.page or paging.offset
                    hint = "Correct 'paging'."
                    problem = f"page {number + 1} is the same as the one before: does the server know '{name}'?"
                    raise DataError(problem, where=f"{self._where}, {here}", hint=hint)
                previous, before = digest, before + records
                if records or number == 0:
                    yield page
                if records < (paging.size or 1):
                    return
                continue
            yield page
            following = self._next(here, answer, page)
            if following is None:
                return
            url = following
        hint = "Raise 'most', or ask for less."
        raise SpecError(f"there are more than {paging.most:,} pages", where=f"{self._where}.paging", hint=hint)

    def _numbered(self, url: httpx.URL, number: int, before: int) -> httpx.URL:
        if self._paging.page is not None:
            return url.copy_set_param(self._paging.page, number + self._paging.first)
        if self._paging.offset is not None:
            return url.copy_set_param(self._paging.offset, before)
        return url

    def _next(self, here: httpx.URL, answer: Answer, page: Document) -> httpx.URL | None:
        from etl_extract._formats._json import value_at  # noqa: PLC0415 - not every paging needs it

        if self._paging.link == "header":
            return self._fetcher.led(here, answer.next) if answer.next else None
        path = str(self._paging.link or self._paging.cursor)
        found = value_at(page, path)
        if found in (None, "", False):
            return None
        if not isinstance(found, str) and not (self._paging.cursor and isinstance(found, int)):
            hint = "Correct 'paging'."
            problem = f"what stands at '{path}' leads to no page: {shown(found)}"
            raise DataError(problem, where=f"{self._where}, {page.name}", hint=hint)
        if self._paging.cursor is not None:
            return here.copy_set_param(self._paging.param, found)
        return self._fetcher.led(here, str(found))
