"""Reads JSON: the records of a list somewhere in a document, one after the other, whatever its size."""

import codecs
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, NoReturn

from etl_contract import DataError
from etl_extract._document import Document
from etl_extract._faults import Faults, shown
from etl_extract._formats._records import RecordsTable
from etl_extract._formats._tree import decoder

MOST_RECORD = 32 * 1024 * 1024
_TOO_LONG = f"a value has more than {MOST_RECORD // 1024**2} MiB"
_CHUNK = 256 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")


class JsonTable(RecordsTable):
    """The list at the path of `records`, or an object there, which is the only record."""

    def _records(self, document: Document, faults: Faults) -> Iterator[tuple[str, Any, int]]:
        del faults  # after the first mistake nothing can be read
        with document.open() as file:
            text = _Text(file, document.name)
            seen = text.go_to(self._source.records.split(".") if self._source.records else [])
            if seen is not None:
                hint = "Correct 'records'."
                there = ", ".join(map(shown, seen[:20])) or "nothing"
                raise DataError(
                    f"there is no '{self._source.records}'; there is {there}", where=document.name, hint=hint
                )
            text.where = f"{document.name}, record 1"
            for number, (record, size) in enumerate(text.items(), start=1):
                text.where = f"{document.name}, record {number + 1}"
                yield f"record {number}", record, size
            text.where = document.name
            text.expect_end()


def value_at(document: Document, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Give the value at a path, None where there is none.

    Raises:
        DataError: the document is no JSON.
    """
    with document.open() as file:
        text = _Text(file, document.name)
        return text.value()[0] if text.go_to(path.split(".")) is None else None


class _Text:
    """A text that is read as far as it is needed, and forgotten as far as it was read."""

    def __init__(self, file: Any, name: str) -> None:  # noqa: ANN401 - a binary file
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._buffer, self._at, self._ended = "", 0, False
        self._around: list[Iterator[str]] = []
        self.where = name

    def go_to(self, path: list[str]) -> list[str] | None:
        """Move to the value at a path; where it is not, give the names that are there instead."""
        seen: list[str] = []
        for wanted in path:
            seen = []
            if self._peek() != "{":
                return ["no object but " + {"[": "a list", "": "nothing"}.get(self._peek(), "a value")]
            members = self._members()
            for name in members:
                if name == wanted:
                    break
                seen.append(name)
                self._pass()
            else:
                return seen
            self._around.append(members)
        return None

    def items(self) -> Iterator[tuple[Any, int]]:
        """Give the values of a list with their sizes, or the one value that stands here."""
        if self._peek() != "[":
            yield self.value()
            return
        self._at += 1
        while self._peek() != "]":
            yield self.value()
            if self._peek() != "]":
                self._take(",")
                if self._peek() == "]":
                    self._refuse("a comma is followed by nothing")
        self._at += 1

    def value(self) -> tuple[Any, int]:
        """Read a value, and give it with its size."""
        self._peek()
        while True:
            try:
                value, end = decoder.raw_decode(self._buffer, self._at)
            except JSONDecodeError as error:
                if not self._more():
                    self._refuse(error.msg if self._at < len(self._buffer) else "it breaks off")
            except ValueError as error:
                self._refuse(str(error))
            except RecursionError:
                self._refuse("it is nested too deeply")
            else:
                # A number at the end of what is read may go on.
                if end < len(self._buffer) or not self._more():
                    size, self._at = end - self._at, end
                    if size > MOST_RECORD:
                        self._refuse(_TOO_LONG)
                    return value, size

    def expect_end(self) -> None:
        """Read on to the end of the objects that the path leads through, and refuse what follows."""
        while self._around:
            for _ in self._around.pop():
                self._pass()
        if found := self._peek():
            self._refuse(f"{shown(found)} follows where it should end")

    def _members(self) -> Iterator[str]:
        """Give the names in an object, each when its value is what comes next."""
        names: set[str] = set()
        self._at += 1
        while self._peek() != "}":
            if names:
                self._take(",")
            name, _ = self.value()
            if type(name) is not str:
                self._refuse("a name is missing")
            if name in names:
                self._refuse(f"the name {name!r} stands twice in an object")
            names.add(name)
            self._take(":")
            yield name
        self._at += 1

    def _pass(self, levels: int = 8) -> None:
        """Read a value and forget it, a large one part by part; what is nested more deeply is read at once."""
        if self._peek() == "{" and levels:
            for _ in self._members():
                self._pass(levels - 1)
        else:
            for _ in self.items():
                pass

    def _peek(self) -> str:
        """Give the next character that is no space; nothing at the end."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _take(self, sign: str) -> None:
        if self._peek() != sign:
            found = self._peek()
            self._refuse(f"'{sign}' expected, not {shown(found)}" if found else "it breaks off")
        self._at += 1

    def _more(self) -> bool:
        """Read on; each time more, so that a long value is not begun too often."""
        if self._ended:
            return False
        kept = self._buffer[self._at :]
        if len(kept) >= MOST_RECORD:
            self._refuse(_TOO_LONG)
        data = self._file.read(max(_CHUNK, len(kept)))
        self._ended = not data
        try:
            self._buffer, self._at = kept + self._decode.decode(data, final=self._ended), 0
        except UnicodeDecodeError as error:
            hint = "JSON is UTF-8: save it so."
            raise DataError(
                f"byte 0x{error.object[error.start]:02x} is no UTF-8", where=self.where, hint=hint
            ) from error
        return True

    def _refuse(self, problem: str) -> NoReturn:
        around = self._buffer[self._at : self._at + 40]
        hint = f"It stands before {shown(around)}." if around else "Was it written, or sent, whole?"
        raise DataError(f"this is no JSON: {problem}", where=self.where, hint=hint)
