"""The PostgreSQL image in use, official or stand-in, honours what etl_images/upstream/README.md says."""

import os
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.setup.project import ROOT, docker

pytestmark = pytest.mark.integration

OPTIONS = [
    *(
        "--user",
        "999:999",
        "--read-only",
        "--tmpfs",
        "/tmp",  # noqa: S108 - a folder of the container
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
    ),
    *("--env", "POSTGRES_PASSWORD_FILE=/init/password", "--env", "POSTGRES_DB=shop", "--env", "POSTGRES_USER=keeper"),
    *("--env", "POSTGRES_INITDB_ARGS=--auth-local=trust --locale=C.UTF-8 --set 'log_line_prefix=%m %u '"),
]
FILES = """
printf secret >/init/password
echo 'create table first (n int)' >/init/scripts/10-first.sql
echo 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "insert into first values (1)"' >/init/scripts/20-second.sh
"""


def postgres_image() -> str:
    """Name the image."""
    rows = [line.split() for line in (ROOT / "etl_images/upstream/images").read_text().splitlines()]
    return os.environ.get("POSTGRES_IMAGE", next(row[1] for row in rows if row and row[0] == "POSTGRES_IMAGE"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server as the platform does: hardened, as a numeric user, with data, socket and secrets on volumes."""
    name = f"etl-pgimage-{uuid4().hex[:8]}"
    image = postgres_image()
    mounts = ["--volume", f"{name}-init:/init", "--volume", f"{name}-scripts:/init/scripts"]
    docker("run", "--rm", *mounts, "--entrypoint", "sh", image, "-c", FILES)
    volumes = ["--volume", f"{name}-data:/var/lib/postgresql/data", "--volume", f"{name}-socket:/var/run/postgresql"]
    volumes += ["--volume", f"{name}-init:/init:ro", "--volume", f"{name}-scripts:/docker-entrypoint-initdb.d:ro"]
    docker("run", "--detach", "--name", name, *OPTIONS, *volumes, image, "postgres", "-c", "work_mem=5MB")
    wait(name)
    yield name
    docker("rm", "--force", "--volumes", name)
    docker("volume", "rm", *(f"{name}-{part}" for part in ("init", "scripts", "data", "socket")))


def wait(name: str) -> None:
    """Wait until the server answers on its port: during its first steps it only does on the socket."""
    for _ in range(120):
        state = docker("exec", name, "sh", "-c", "pg_isready --quiet --host 127.0.0.1 && echo ready || true")
        if state == "ready":
            return
        time.sleep(0.25)
    raise AssertionError(docker("logs", name))


def ask(name: str, query: str) -> str:
    """Ask the server through its socket."""
    return docker("exec", name, "psql", "--no-psqlrc", "-At", "-U", "keeper", "-d", "shop", "-c", query)


def test_the_first_start_makes_the_cluster(server: str) -> None:
    """User, database, initdb's arguments, init files in order and the server's own options all arrive."""
    assert ask(server, "select n from first") == "1"
    assert ask(server, "select rolname from pg_roles where rolsuper") == "keeper"
    assert ask(server, "show log_line_prefix").rstrip() == "%m %u"
    assert ask(server, "show work_mem") == "5MB"
    assert ask(server, "show listen_addresses") == "*"
    assert ask(server, "show data_directory") == "/var/lib/postgresql/data"


def test_the_network_asks_for_the_password(server: str) -> None:
    """From another address than the server's own, only the password of the file lets a client in."""
    query = ["sh", "-c", 'psql -At -h "$(hostname -i)" -U keeper -d shop -c "select 42"']

    assert docker("exec", "--env", "PGPASSWORD=secret", server, *query) == "42"
    with pytest.raises(AssertionError, match="password authentication failed"):
        docker("exec", "--env", "PGPASSWORD=wrong", server, *query)


def test_a_stop_is_clean_and_a_start_keeps_the_data(server: str) -> None:
    """The signal that Docker sends shuts down with a checkpoint; nothing is initialised a second time."""
    docker("stop", server)
    docker("start", server)
    wait(server)

    assert "was not properly shut down" not in docker("logs", server)
    assert ask(server, "select n from first") == "1"


def test_a_cluster_without_password_is_refused() -> None:
    """No server starts open to everyone."""
    with pytest.raises(AssertionError, match="superuser password"):
        docker("run", "--rm", postgres_image())
