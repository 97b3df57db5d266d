"""Gives the lines of a text document, decoded one by one, so that what cannot be read has its line."""

import io
from collections.abc import Iterator

from etl_contract import DataError
from etl_extract._document import Document

MOST_LINE = 32 * 1024 * 1024
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class Lines(Iterator[str]):
    """The lines with their ends; `number` is that of the last one, `characters` how many have been given."""

    def __init__(self, document: Document, encoding: str) -> None:
        self.number = 0
        self.characters = 0
        self._name, self._encoding = document.name, encoding
        self._file = document.open()
        self._wide = len("\n".encode(encoding)) > 1
        self._text = io.TextIOWrapper(self._file, encoding, newline="") if self._wide else None

    def __next__(self) -> str:
        """Give the next line.

        Raises:
            DataError: it is not in the encoding, or too long.
        """
        if self._file.closed:
            raise StopIteration
        self.number += 1
        line = self._decoded()
        if not line:
            self.close()
            raise StopIteration
        self.characters += len(line)
        if len(line) > MOST_LINE:
            hint = "Is it CSV, with line ends, and in this encoding?"
            raise DataError(f"has more than {MOST_LINE // 1024**2} MiB", where=self.place, hint=hint)
        return line

    @property
    def place(self) -> str:
        """Name the line that was read last."""
        return f"{self._name}, line {self.number}"

    def close(self) -> None:
        """Close the document."""
        self._file.close()

    def _decoded(self) -> str:
        try:
            if self._text is not None:
                return self._text.readline(MOST_LINE + 1)
            line = self._file.readline(MOST_LINE + 1)
            if self.number == 1:
                line = self._without_mark(line)
            return line.decode(self._encoding)
        except UnicodeDecodeError as error:
            around = error.object[max(0, error.start - 10) : error.start + 10].decode("ascii", "backslashreplace")
            wrong = error.object[error.start]
            hint = "Save it in that encoding, or declare its own: encoding: windows-1252."
            raise DataError(
                f"byte 0x{wrong:02x} is no {self._encoding} (in {around!r})", where=self.place, hint=hint
            ) from error

    def _without_mark(self, line: bytes) -> bytes:
        """Take the mark of UTF-8 away, and tell that of another encoding."""
        if self._encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
            for mark, encoding in _MARKS.items():
                if line.startswith(mark):
                    hint = f"Declare it: encoding: {encoding}; or save it as UTF-8."
                    raise DataError(f"it begins with the mark of {encoding.upper()}", where=self._name, hint=hint)
            return line.removeprefix(b"\xef\xbb\xbf")
        return line
