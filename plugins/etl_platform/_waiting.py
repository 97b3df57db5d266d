"""Shows a person who waits what is done meanwhile."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console


def waiting(doing: str) -> AbstractContextManager[Any]:
    """Say on standard error what begins: where that is a terminal, in a line that turns and is gone at the end."""
    console = Console(stderr=True)
    if console.is_interactive:
        return console.status(f"{doing} ...")
    console.print(f"{doing} ...")
    return nullcontext()
