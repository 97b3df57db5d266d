"""Lets SQLite compare times: it has no type for them, and as texts 2026-01-01T00:00 comes after 2026-01-01 23:59."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache

import sqlalchemy as sa

TIMES = "etl_time"


def know_times(connection: sa.Connection) -> None:
    """Add the collation by which texts are compared as the times that they are."""
    driver = connection.connection.driver_connection
    driver.create_collation(TIMES, _order)  # type: ignore[union-attr]  # it is sqlite3's


def by_time(text: str, names: Collection[str]) -> str:
    """Let a statement compare what is bound to these names by the collation; it then holds for the column beside it."""
    if not names:
        return text
    return re.sub(rf"(?<![:\w\\]):({'|'.join(map(re.escape, names))})\b", rf":\1 collate {TIMES}", text)


def _order(one: str, other: str) -> int:
    first, second = _time(one), _time(other)
    if first is None or second is None:
        return (one > other) - (one < other)
    return (first > second) - (first < second)


@lru_cache(1024)
def _time(text: str) -> datetime | None:
    """Read a time as UTC's clock shows it, which is what a source is told; None where the text is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
