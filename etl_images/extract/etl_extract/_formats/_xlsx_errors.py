"""Finds the cells of a sheet that show an error, such as #N/A: python-calamine gives them as if they were empty."""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, NamedTuple
from xml.parsers import expat

from etl_extract._spool import CHUNK

_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ERROR, _LONGEST = re.compile(rb"""\st\s*=\s*["']e["']"""), 64

type Start = Callable[[str, Mapping[str, str]], None]


class ErrorCell(NamedTuple):
    """A cell that shows an error: its row, its place as `cell B3`, and what it shows."""

    row: int
    place: str
    shown: str


def error_cells(file: IO[bytes], sheet: str) -> Iterator[ErrorCell]:
    """Give the cells of a workbook's sheet that show an error.

    Raises:
        KeyError, zipfile.BadZipFile, expat.ExpatError: it is no workbook of .xlsx.
    """
    with zipfile.ZipFile(file) as archive:
        part = _part(archive, sheet)
        with archive.open(part) as xml:
            if not _may_have_any(xml):
                return
        with archive.open(part) as xml:
            yield from _Cells().read(xml)


def _may_have_any(xml: IO[bytes]) -> bool:
    """Look for the type of such cells, which takes a tenth of the time; what is no ASCII has to be parsed."""
    before = b""
    while data := xml.read(CHUNK):
        if (not before and b"\0" in data[:4]) or _ERROR.search(before + data):
            return True
        before = data[-_LONGEST:]
    return False


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Give the name of the file in the workbook that has the sheet's cells."""
    sheets: dict[str, str] = {}
    targets: dict[str, str] = {}

    def in_book(tag: str, about: Mapping[str, str]) -> None:
        if tag == "sheet":
            sheets[about["name"]] = next((link for name, link in about.items() if name.endswith(":id")), "")

    def in_links(tag: str, about: Mapping[str, str]) -> None:
        if tag == "Relationship":
            targets[about["Id"]] = about["Target"]

    for name, start in ((_BOOK, in_book), (_LINKS, in_links)):
        with archive.open(name) as part:
            parser = _parser(start)
            while data := part.read(CHUNK):
                parser.Parse(data)
    path = PurePosixPath("/xl", targets[sheets[sheet]])
    return path.as_posix().removeprefix("/")


class _Cells:
    """Reads a sheet's XML once, as far as is needed to know which cells show an error."""

    def __init__(self) -> None:
        self._row = 0
        self._place: str | None = None  # of the cell that shows an error, while in it
        self._shown: list[str] | None = None  # its value, while in that
        self._found: list[ErrorCell] = []

    def read(self, part: IO[bytes]) -> Iterator[ErrorCell]:
        parser = _parser(self._start)
        parser.buffer_text = True
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        while data := part.read(CHUNK):
            parser.Parse(data)
            yield from self._found
            self._found.clear()

    def _start(self, tag: str, about: Mapping[str, str]) -> None:
        if tag == "row":
            self._row = int(about.get("r", self._row + 1))
        elif tag == "c":
            self._place = None
            if about.get("t") == "e":
                self._place = f"cell {about['r']}" if "r" in about else f"row {self._row}"
        elif tag == "v" and self._place:
            self._shown = []

    def _text(self, text: str) -> None:
        if self._shown is not None:
            self._shown.append(text)

    def _end(self, _: str) -> None:
        if self._shown is not None and self._place:
            self._found.append(ErrorCell(self._row, self._place, "".join(self._shown)))
            self._shown = None


def _parser(start: Start) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, about: start(tag.rpartition(":")[2], about)
    return parser
