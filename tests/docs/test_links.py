"""Links between pages and files: none of them is dead."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DECISIONS, PAGES, ROOT, anchors, without_code

CODE = {".cfg", ".example", ".md", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml", "", ".conf"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file or a folder of the repository, and a heading that is there."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_is_reached() -> None:
    """A page that nothing leads to is read by nobody."""
    text = "\n".join(page.read_text() for page in PAGES)

    assert [page.name for page in PAGES if page.name != "README.md" and page.name not in text] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_linked_where_it_is_met(page: Path) -> None:
    """Who wonders about the code finds the reason there."""
    folders = ("config", "dags", "etl_images", "plugins", "setup")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
    linking = [file for file in files if file.suffix in CODE and f"docs/decisions/{page.name}" in _text(file)]

    assert linking


def _text(file: Path) -> str:
    return file.read_text(errors="replace")
