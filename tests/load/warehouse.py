"""Starts a PostgreSQL of its own with the product's roles, schemas and ledger, and loads into it as the role `load`."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
from psycopg import sql

from etl_contract import Conversation, Dataset, Interval, LoadTarget, LoadTask, StageResult
from etl_contract.parquet import writing
from etl_load._load import load_into
from tests._engine import OURS, address, docker, network

CONFIG = Path(__file__).parents[2] / "config" / "postgres"
IMAGE = os.environ.get("POSTGRES_IMAGE", "etl-upstream/postgres:17-trixie")
NETWORK = f"{OURS}-load"
CONTAINER = f"{NETWORK}-postgres"
ROLES = ("airflow", "source_owner", "extract", "load", "recorder", "report", "analyst")
NEW_YORK = "America/New_York"
DRIVER = """
import os
from functools import partial
from etl_contract import LoadTask, run
from etl_load._load import load_into
run(partial(load_into, os.environ.pop("WAREHOUSE")), LoadTask)
"""


class Warehouse:
    """A running warehouse."""

    def __init__(self, host: str, passwords: Mapping[str, str]) -> None:
        self.host = host
        self._passwords = passwords
        self._admin: psycopg.Connection | None = None

    def uri(self, role: str = "load", database: str = "warehouse") -> str:
        """Give the address for a role."""
        return f"postgresql://{role}:{self._passwords[role]}@{self.host}:5432/{database}"

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, over a connection that comes back after a restart."""
        if self._admin is None or self._admin.closed or self._admin.broken:
            self._admin = psycopg.connect(self.uri("postgres"), autocommit=True)
        cursor = self._admin.execute(query, values or None)
        return cursor.fetchall() if cursor.description else []

    def rows(self, table: str) -> list[str]:
        """Give a table's rows, each as its text, in one order."""
        place = sql.Identifier(*table.split("."))
        query = sql.SQL("select t::text from {} t order by 1").format(place)
        return [text for (text,) in self.sql(query.as_string())]

    def ledger(self) -> list[dict[str, Any]]:
        """Give the ledger's lines."""
        with psycopg.connect(self.uri("postgres"), row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute("select * from etl.loads order by run_id, dataset").fetchall()

    def staging(self) -> list[str]:
        """Name the staging tables that are there."""
        return [name for (name,) in self.sql("select tablename from pg_tables where schemaname = 'staging'")]

    def clear(self) -> None:
        """Remove all that tests loaded, and whoever still loads."""
        self.sql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'load'")
        for schema, name in self.sql("""
            select schemaname, tablename from pg_tables where schemaname in ('mart', 'staging')
            union all select schemaname, viewname from pg_views where schemaname = 'mart'
        """):
            kind = "view" if name.startswith("view") else "table"
            self.sql(sql.SQL(f"drop {kind} if exists {{}} cascade").format(sql.Identifier(schema, name)).as_string())
        self.sql("delete from etl.loads; delete from etl.checks; delete from quarantine.rows")
        self.sql("delete from etl.watermarks; delete from etl.files")

    def close(self) -> None:
        """End the superuser's connection."""
        if self._admin is not None:
            self._admin.close()

    def restart(self) -> None:
        """Let the server crash at once, and start it again."""
        with suppress(psycopg.OperationalError):  # by a statement: asking Docker takes longer than a load
            self.sql("copy (select) to program 'cat; kill -QUIT 1'")
        self.close()
        docker("wait", CONTAINER)
        docker("start", CONTAINER)
        self.host = address(CONTAINER, NETWORK)
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        """Wait until the server takes connections."""
        until = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.uri("postgres", "postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return

    @contextmanager
    def holding(self, statement: str) -> Iterator[None]:
        """Keep what a statement locks, in a transaction of another session."""
        with psycopg.connect(self.uri("postgres")) as connection:
            connection.execute(statement)
            yield
            connection.rollback()

    def until(self, query: str, seconds: float = 30) -> None:
        """Wait until a query finds a row."""
        until = time.monotonic() + seconds
        while not self.sql(query):
            assert time.monotonic() < until, f"never true: {query}"
            time.sleep(0.002)


@contextmanager
def running_warehouse() -> Iterator[Warehouse]:
    """Start a warehouse, and remove it."""
    passwords = {role: secrets.token_hex(16) for role in (*ROLES, "postgres")}
    with network(NETWORK):
        docker(
            "run", "--detach", "--name", CONTAINER, "--network", NETWORK, "--shm-size", "128m",
            "--tmpfs", "/small:size=4m,uid=999,gid=999,mode=0700",  # a disk that is soon full
            "--env", f"POSTGRES_PASSWORD={passwords['postgres']}", IMAGE,
            "postgres", "-c", "fsync=off",  # what tests kill is the server, never the machine
        )  # fmt: skip
        warehouse = Warehouse(address(CONTAINER, NETWORK), passwords)
        warehouse.wait()
        _apply(warehouse, passwords)
        try:
            yield warehouse
        finally:
            warehouse.close()


def _apply(warehouse: Warehouse, passwords: Mapping[str, str]) -> None:
    """Make roles, schemas and the ledger as the service postgres-roles does."""
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(warehouse.uri("postgres", "postgres")) as connection:
        verifiers = Path(folder) / "verifiers"
        verifiers.mkdir(mode=0o755)
        for role in ROLES:
            hashed = connection.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256")
            (verifiers / f"{role}.scram").write_bytes(hashed)
        docker("cp", str(verifiers), f"{CONTAINER}:/opt/verifiers")
    docker("cp", str(CONFIG), f"{CONTAINER}:/opt/config")
    docker(
        "exec", "--user", "postgres", "--env", "ETL_SECRETS=/opt/verifiers", CONTAINER, "bash", "/opt/config/apply.sh"
    )


class Loading:
    """Loads tables as a run of a pipeline would."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self._written = 0

    def dataset(self, name: str, rows: pa.Table) -> Dataset:
        """Write rows as the transform does."""
        self._written += 1
        with writing(f"file://{self.folder}/{self._written}", name, rows.schema) as writer:
            writer.write(rows)
            return writer.finish()

    def task(
        self,
        tables: Mapping[str, tuple[pa.Table, dict[str, Any]]],
        *,
        interval: Interval | None = None,
        run_id: str = "scheduled__2024-03-01",
        try_number: int = 1,
        pipeline: str = "flights",
    ) -> LoadTask:
        """Describe a load of tables, each with its target."""
        return LoadTask(
            pipeline=pipeline,
            run_id=run_id,
            try_number=try_number,
            interval=interval or day_of(date(2024, 3, 1)),
            run_uri=f"file://{self.folder}",
            inputs=tuple(self.dataset(name, rows) for name, (rows, _) in tables.items()),
            spec={name: LoadTarget.model_validate(target) for name, (_, target) in tables.items()},
        )

    def load(self, name: str, rows: pa.Table, target: dict[str, Any], **about: Any) -> StageResult:  # noqa: ANN401
        """Load one table, in this process."""
        return load_into(self.warehouse.uri(), self.task({name: (rows, target)}, **about))

    def start(self, task: LoadTask) -> "Process":
        """Load in a process of its own, which can be killed."""
        return Process(task, self.warehouse.uri())


class Process:
    """A load in a process of its own."""

    def __init__(self, task: LoadTask, uri: str) -> None:
        environment = {**os.environ, "ETL_TASK": task.model_dump_json(), "ETL_NONCE": "n0nce", "WAREHOUSE": uri}
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRIVER], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def __enter__(self) -> Self:
        """Give the running process."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave none behind."""
        self.kill()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, by default the one that cannot be caught, and wait for the end."""
        self._process.send_signal(number)
        self._process.communicate(timeout=15)

    def ended(self) -> bool:
        """Tell whether it is over."""
        return self._process.poll() is not None

    def result(self) -> StageResult:
        """Wait for the end; give the result, as the operator reads it."""
        output, _ = self._process.communicate(timeout=120)
        conversation = Conversation("n0nce")
        for line in output.splitlines():
            conversation.hear(line)
        assert conversation.result, output
        return conversation.result


def day_of(day: date, timezone: str = NEW_YORK, days: int = 1) -> Interval:
    """Give the interval of local days."""
    zone = ZoneInfo(timezone)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=days)))
    return Interval(start=start.astimezone(UTC), end=end.astimezone(UTC), timezone=timezone)
