"""Offers one PostgreSQL with the product's files to all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.postgres.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start the server once."""
    with Server("etl-pgtest-", "10.213.31") as running:
        yield running
