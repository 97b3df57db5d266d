"""Orders the tests: what is quick comes first, so that a mistake shows within seconds."""

from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort: unit tests, then those marked `integration`, then those of the folder e2e, which it marks."""
    for item in items:
        if item.path.is_relative_to(E2E):
            item.add_marker(pytest.mark.e2e)
    items.sort(key=_cost)


def _cost(item: pytest.Item) -> int:
    """Give 0 for a unit test, 1 for an integration test, 2 for an end-to-end test."""
    if item.get_closest_marker("e2e"):
        return 2
    return 1 if item.get_closest_marker("integration") else 0
