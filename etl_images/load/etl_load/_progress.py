"""Tells of work that takes long, at most every ten seconds."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

SECONDS = 10.0

log = structlog.get_logger()


@contextmanager
def telling(event: str, facts: Mapping[str, object] | None = None) -> Iterator[None]:
    """Log the event with its facts, as they are by then, every ten seconds until the block ends."""
    started = time.monotonic()
    done = threading.Event()

    def tell() -> None:
        while not done.wait(SECONDS):
            log.info(event, **(facts or {}), seconds=round(time.monotonic() - started))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
