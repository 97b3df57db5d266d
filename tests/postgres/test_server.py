"""How PostgreSQL starts, stops and starts again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.postgres.server import CommandError, Server, docker, docker_logs

pytestmark = pytest.mark.integration


@contextmanager
def another(server: Server, *words: str, user: str = "999:999") -> Iterator[str]:
    """Make a second server with a volume of its own, not started yet."""
    server.make("volume", "another")
    name = f"{server.prefix}another"
    try:
        yield server.create(
            name, "--network", "none", "--tmpfs", "/run/postgresql:uid=999", *words, volume="another", user=user
        )
    finally:
        docker("rm", "-fv", name)
        docker("volume", "rm", f"{server.prefix}another")


def give(server: Server) -> None:
    """Give the second server's volume to it, as the secrets service does."""
    server.run(
        "--rm", "-v", f"{server.prefix}another:/volume", "--entrypoint", "chown", server.image, "999:999", "/volume"
    )


def exit_of(name: str) -> str:
    """Start a container, wait until it ends, and return what it has said."""
    docker("start", name)
    docker("wait", name)
    return docker_logs(name)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_checksums", "on"),
        ("password_encryption", "scram-sha-256"),
        ("TimeZone", "UTC"),
        ("log_timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("log_connections", "on"),
        ("unix_socket_permissions", "0700"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("idle_in_transaction_session_timeout", "10min"),
        ("client_connection_check_interval", "10s"),
    ],
)
def test_settings_are_ours(server: Server, setting: str, value: str) -> None:
    """The server runs with the settings of config/postgres."""
    assert server.sql(f"show {setting}") == value


def test_every_line_of_the_lists_is_valid(server: Server) -> None:
    """PostgreSQL finds no error in its configuration, in pg_hba.conf and in pg_ident.conf."""
    for view in ("pg_file_settings", "pg_hba_file_rules", "pg_ident_file_mappings"):
        assert server.sql(f"select count(*) > 0, count(error) from {view}") == "t|0"  # noqa: S608  # names of ours


def test_text_sorts_by_code_point(server: Server) -> None:
    """Text sorts alike in every image, whatever its C library."""
    assert server.sql("select datlocprovider, datlocale, datcollate from pg_database where datname = 'warehouse'") == (
        "b|C.UTF-8|C.UTF-8"
    )


def test_data_survives_a_kill(server: Server) -> None:
    """What was committed is there after kill -9 of the server, and it is back within seconds."""
    server.sql("create table mart.kept as select 42 as i", "load")
    try:
        docker("kill", "--signal", "KILL", server.name)
        docker("start", server.name)
        server.wait()

        assert server.sql("table mart.kept", "load") == "42"
    finally:
        server.sql("drop table if exists mart.kept", "load")


def test_stop_is_quick_and_clean(server: Server) -> None:
    """A stop does not wait for clients, and leaves nothing to recover."""
    docker("exec", "-d", server.name, "psql", "-U", "postgres", "-c", "select pg_sleep(600)")
    begun = time.monotonic()
    docker("stop", "--time", "30", server.name)
    seconds = time.monotonic() - begun
    said = docker_logs(server.name)
    docker("start", server.name)
    server.wait()

    assert seconds < 10
    assert said.rstrip().endswith("database system is shut down")
    assert docker_logs(server.name).count("database system was interrupted") <= 1  # of the test above


def test_a_killed_first_start_is_repeated(server: Server) -> None:
    """A first start that was killed half-way leaves nothing in the way of the next."""
    look = ("--rm", "-v", f"{server.prefix}another:/volume", "--entrypoint", "ls", server.image, "/volume")
    # A tenth of a core, so that there is a half-way to kill it at, however fast the machine is.
    with another(server, "--cpus", "0.1") as name:
        give(server)
        docker("start", name)
        until = time.monotonic() + 30
        while server.run(*look) == "" and time.monotonic() < until:
            time.sleep(0.1)
        docker("kill", "--signal", "KILL", name)
        found = server.run(*look)
        docker("update", "--cpus", "2", name)
        docker("start", name)
        server.wait(name)

        assert found == "main.unfinished"
        assert docker("exec", name, "psql", "-XAtqU", "postgres", "-c", "select 1") == "1"


def test_a_volume_of_somebody_else_is_refused(server: Server) -> None:
    """A volume that was not given to PostgreSQL is named, with who should have done it."""
    with another(server) as name:
        assert (
            "error: /var/lib/postgresql/data is not writable for uid 999; the service 'secrets' gives the volume to it"
        ) in exit_of(name)


@pytest.mark.parametrize("subnet", ["", "10.213.16.0/24", "10.213.256", "10.213.16/'; all"])
def test_a_false_subnet_is_refused(server: Server, subnet: str) -> None:
    """ETL_SUBNET is checked before anything is made of it."""
    with another(server, "--env", f"ETL_SUBNET={subnet}") as name:
        assert f"error: ETL_SUBNET is '{subnet}'; it must be the first three octets of a network" in exit_of(name)


def test_root_is_refused(server: Server) -> None:
    """PostgreSQL is not started as root."""
    with another(server, user="0:0") as name:
        assert "error: runs as root; run it as user 999" in exit_of(name)


def test_no_probe_is_refused(server: Server) -> None:
    """The health check is let in, so that it leaves no error in the log."""
    docker("exec", server.name, "pg_isready", "--quiet")

    with pytest.raises(CommandError):
        docker("exec", server.name, "pg_isready", "--quiet", "--port", "5433")
    assert [line for line in docker_logs(server.name).splitlines() if "FATAL" in line and "pg_isready" in line] == []


def test_a_vanished_client_frees_its_locks(server: Server) -> None:
    """A client that says no goodbye, because its network was cut, keeps its locks for half a minute at most."""
    name = f"{server.prefix}vanished"
    lock = "begin; lock table etl.loads in share mode;"
    locks = "select count(*) from pg_locks where relation = 'etl.loads'::regclass"
    server.run(
        "-d", "--name", name, "--network", f"{server.prefix}data", "--env", f"PGPASSWORD={server.password('load')}",
        "--stop-timeout", "0", "--entrypoint", "bash", server.image, "-c",
        f"(echo '{lock}'; sleep 300) | psql -h postgres -U load warehouse",
    )  # fmt: skip
    try:
        while server.sql(locks, database="warehouse") == "0":
            assert docker("inspect", "-f", "{{.State.Running}}", name) == "true", docker_logs(name)
        docker("network", "disconnect", "--force", f"{server.prefix}data", name)
        cut = time.monotonic()
        while server.sql(locks, database="warehouse") != "0":
            assert time.monotonic() < cut + 40
            time.sleep(1)
    finally:
        docker("rm", "-fv", name)
