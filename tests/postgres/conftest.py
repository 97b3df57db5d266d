"""Offers one PostgreSQL with the product's files to all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests._engine import OURS, subnet
from tests.postgres.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start the server once."""
    with Server(f"{OURS}-pg-", subnet(31)) as running:
        yield running
