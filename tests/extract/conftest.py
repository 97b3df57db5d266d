"""Offers a real PostgreSQL, as a source system and as the warehouse, and a real web server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import sql

from tests._engine import OURS
from tests._postgres import running_postgres
from tests.extract.mariadb import running_mariadb
from tests.extract.reading import Extracting
from tests.extract.server import WebServer, web_server

WAREHOUSE = Path(__file__).parents[2] / "config" / "postgres" / "warehouse.sql"


@pytest.fixture(scope="session")
def uri() -> Iterator[str]:
    """Give the address of a database that is empty at first."""
    with running_postgres(f"{OURS}-extract") as uri:
        yield uri


@pytest.fixture
def source(uri: str) -> Iterator[psycopg.Connection]:
    """Give a connection to prepare tables with, which are gone after the test."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("drop schema public cascade; create schema public")
        yield connection


@pytest.fixture
def connections(uri: str, tmp_path: Path) -> Path:
    """Give the folder of secrets as a stage sees it, with the connection `source`."""
    folder = tmp_path / "connections"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "uri").write_text(uri)
    return folder


@pytest.fixture(scope="session")
def _books(uri: str) -> str:
    """Make a database with the platform's schemas and books, and give its address."""
    address = uri.rpartition("/")[0] + "/warehouse"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("create database warehouse")
        for role in ("extract", "load", "recorder", "report", "analyst"):
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(WAREHOUSE.read_bytes())
    return address


@pytest.fixture
def warehouse(_books: str, connections: Path) -> str:
    """Give the address of a warehouse in which nothing is loaded; it is the connection `warehouse`, too."""
    with psycopg.connect(_books, autocommit=True) as connection:
        connection.execute("drop schema mart cascade; create schema mart")
        connection.execute("truncate etl.loads, etl.watermarks, etl.files")
    (connections / "warehouse").mkdir()
    (connections / "warehouse" / "uri").write_text(_books)
    return _books


@pytest.fixture
def web() -> Iterator[WebServer]:
    """Give a web server that answers nothing yet."""
    with web_server() as server:
        yield server


@pytest.fixture
def extracting(tmp_path: Path) -> Extracting:
    """Read single sources."""
    return Extracting(tmp_path)


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a MariaDB server, and give its port."""
    with running_mariadb(tmp_path_factory.mktemp("mariadb")) as port:
        yield port


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Run a server that speaks S3's API; give its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, extracting: Extracting) -> Iterator[Any]:
    """Have a bucket, and the connection `lake` with its keys."""
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s3/cr+et"}
    store = boto3.resource("s3", endpoint_url=f"http://{s3}", region_name="eu-west-1", **keys)
    bucket = store.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    extracting.connection(
        "lake", uri=f"s3://AKIA:s3%2Fcr%2Bet@lake?region=eu-west-1&scheme=http&endpoint_override={s3}"
    )
    yield bucket
    bucket.objects.delete()
    bucket.delete()
