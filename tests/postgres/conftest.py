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


@pytest.fixture(scope="session")
def tables(server: Server) -> None:
    """Make tables by the roles that make them in the product."""
    for schema in ("mart", "staging", "quarantine"):
        server.sql(f"create table {schema}.sales as select 1 as i", "load")
    server.sql("create schema history; create table history.raw as select 1 as i", "source_owner")
    server.sql("create view public.orders as table history.raw", "source_owner")
