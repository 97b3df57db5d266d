"""The documentation as tests read it: pages, code blocks, headings, commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
EXERCISES = ROOT / "docs" / "exercises.md"
SECURITY = ROOT / "docs" / "security.md"
PIPELINES = ROOT / "docs" / "pipelines.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [
    README,
    ROOT / "README.fr.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|--) config/pipelines/(\w+\.\w+)\n")


class Block(NamedTuple):
    """A fenced block of code: its language, its text."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """Give the name of the pipeline file that it shows whole, if its first line names one."""
        return match[1] if (match := _FILE.match(self.text)) else None


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Give the code blocks of a page, or only those of a language."""
    found = [Block(match[1], match[2]) for match in _BLOCK.finditer(page.read_text())]
    return [block for block in found if language in (None, block.language)]


def without_code(page: Path) -> str:
    """Give a page without its code blocks."""
    return _BLOCK.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[str]:
    """Give each line of a page's shell blocks that is a command: where there is output too, those after a `$`."""
    for block in blocks(page):
        lines = block.text.splitlines()
        if block.language == "console":
            yield from (line.removeprefix("$ ") for line in lines if line.startswith("$ "))
        elif block.language == "sh":
            yield from (line for line in lines if line and not line.startswith("#"))


def make_targets() -> set[str]:
    """Give the targets of the Makefile."""
    (line,) = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(line.split())


def section(page: Path, heading: str) -> str:
    """Give what stands under a heading, down to the next of its level."""
    text = page.read_text()
    (level,) = re.findall(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    _, _, rest = text.partition(f"\n{level} {heading}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    """Give what stands in backticks in the first column of a table."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
