"""Says where an author's text stands: its file, and the line of it."""

from typing import NamedTuple

FOLDER = "config/pipelines"


class Place(NamedTuple):
    """Where a text begins: its file, the line there, and the field of a YAML file."""

    file: str
    line: int = 1
    field: str = ""

    def at(self, line: int = 1) -> str:
        """Name a line of the text as a line of its file, the first being 1."""
        field = f", {self.field}" if self.field else ""
        return f"{FOLDER}/{self.file}, line {self.line + line - 1}{field}"

    def after(self, text: str) -> "Place":
        """Give the place behind some of the text."""
        return self._replace(line=self.line + text.count("\n"))
