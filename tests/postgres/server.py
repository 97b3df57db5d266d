"""Starts a PostgreSQL of its own with the product's files, and clients on every network around it.

secrets ──► volume ──► postgres (config/postgres, read-only) ◄── apply.sh, through the unix socket
                          │
      control ── data ── egress ── edge ── stranger      one waiting client on each, which runs psql
"""

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
POSTGRES_IMAGE = os.environ.get("POSTGRES_IMAGE", "etl-upstream/postgres:17-trixie")
SECRETS_IMAGE = f"etl-platform/secrets:{os.environ.get('ETL_TAG', 'local')}"
# Network: where it lies in the subnet, and whether it is internal. The last one is in no line of pg_hba.conf.
NETWORKS = {
    "control": (".0/26", True),
    "data": (".64/26", True),
    "egress": (".128/27", False),
    "edge": (".192/27", False),
    "stranger": (".224/27", True),
}
VOLUMES = {
    "postgres_data": "/volumes/postgres_data",
    "postgres_socket": "/volumes/postgres_socket",
    "secrets": "/secrets",
    "runs": "/volumes/runs",
    "inbox": "/volumes/inbox",
    "exports": "/volumes/exports",
    "reports": "/volumes/reports",
    "airflow_logs": "/volumes/airflow_logs",
    "outbox": "/volumes/outbox",
}
DATABASES = {"airflow": "airflow", "source_owner": "source", "postgres": "postgres"}


class CommandError(AssertionError):
    """Holds what a command that failed has said."""


def docker(*words: str, stdin: bytes | None = None, timeout: float = 120, errors: bool = False) -> str:
    """Run the Docker command line and return what it prints, on request also as errors, or raise CommandError."""
    done = subprocess.run(["docker", *words], input=stdin, capture_output=True, timeout=timeout, check=False)
    if b"waiting for init preliminary setup" in done.stderr:  # the Engine stumbled before the command had begun
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, timeout=timeout, check=False)
    if done.returncode:
        raise CommandError((done.stderr + done.stdout).decode("utf-8", "replace"))
    return (done.stdout + (done.stderr if errors else b"")).decode("utf-8", "replace").rstrip("\n")


def hardened(*capabilities: str) -> list[str]:
    """Return the options that take everything from a container but these capabilities."""
    words = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "768m"]
    return words + [word for capability in capabilities for word in ("--cap-add", capability)]


class Server:
    """A running PostgreSQL; as a context it is started and, with all that belongs to it, removed."""

    def __init__(self, prefix: str, subnet: str, image: str = POSTGRES_IMAGE) -> None:
        self.prefix, self.subnet, self.image = prefix, subnet, image
        self.name = f"{prefix}postgres"
        self.secrets: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start everything, after whatever an earlier run may have left was removed."""
        self.remove()
        try:
            for network, (part, internal) in NETWORKS.items():
                words = ["--internal"] if internal else []
                self.make("network", network, "--subnet", f"{self.subnet}{part}", *words)
            for volume in (*VOLUMES, "config"):
                self.make("volume", volume)
            self.fill("config", ROOT / "config" / "postgres")
            self.init_secrets()
            self.start()
            self.apply()
            for network in NETWORKS:
                self.run("-d", "--network", self.prefix + network, "--name", f"{self.prefix}client-{network}",
                         "--stop-timeout", "0", "--entrypoint", "sleep", self.image, "infinity")  # fmt: skip
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove everything."""
        self.remove()

    def make(self, kind: str, name: str, *words: str) -> None:
        """Make a network or volume that bears our label."""
        docker(kind, "create", "--label", f"etl-pgtest={self.prefix}", *words, self.prefix + name)

    def run(self, *words: str, stdin: bytes | None = None) -> str:
        """Run a container that bears our label."""
        return docker("run", "--label", f"etl-pgtest={self.prefix}", *words, stdin=stdin)

    def remove(self) -> None:
        """Remove every container, volume and network that bears our label."""
        ours = f"label=etl-pgtest={self.prefix}"
        for listed, removed in (
            (("ps", "-aq"), ("rm", "-fv")),
            (("volume", "ls", "-q"), ("volume", "rm")),
            (("network", "ls", "-q"), ("network", "rm")),
        ):
            found = docker(*listed, "--filter", ours).split()
            if found:
                docker(*removed, *found)

    def fill(self, volume: str, folder: Path) -> None:
        """Copy a folder into a volume: a path of ours need not be one of the Engine's machine."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(folder, arcname=".")
        self.run("--rm", "-i", "-v", f"{self.prefix}{volume}:/to", "--entrypoint", "tar", self.image,
                 "-x", "--no-same-owner", "-C", "/to", stdin=packed.getvalue())  # fmt: skip

    def init_secrets(self, *words: str) -> str:
        """Run the service `secrets`, and learn what it wrote."""
        mounts = [word for name, target in VOLUMES.items() for word in ("-v", f"{self.prefix}{name}:{target}")]
        said = self.run("--rm", "--network", "none", "--user", "0:0", *hardened("CHOWN", "DAC_OVERRIDE", "FOWNER"),
                        *mounts, SECRETS_IMAGE, *(words or ("init",)))  # fmt: skip
        packed = subprocess.run(
            ["docker", "run", "--rm", "-v", f"{self.prefix}secrets:/from:ro", "--entrypoint", "tar", self.image,
             "-c", "-C", "/from", "."],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive.getmembers():
                file = archive.extractfile(member)
                if file is not None:
                    self.secrets[member.name.removeprefix("./")] = file.read().decode("utf-8")
        return said

    def options(self, subpath: str) -> list[str]:
        """Return what the services postgres and postgres-roles have in common."""
        return [
            *hardened(),
            "--user", "999:999",
            "--mount", f"type=volume,src={self.prefix}config,dst=/etc/etl-postgres,readonly",
            "--mount", f"type=volume,src={self.prefix}postgres_socket,dst=/var/run/postgresql,volume-nocopy",
            "--mount", self.secret(subpath),
        ]  # fmt: skip

    def secret(self, subpath: str, place: str = "/run/secrets") -> str:
        """Return the mount by which a consumer sees its own folder of the secrets."""
        return f"type=volume,src={self.prefix}secrets,dst={place},volume-subpath={subpath},readonly"

    def create(self, name: str, *words: str, volume: str = "postgres_data", user: str = "999:999") -> str:
        """Make a container of the service postgres, and return its name."""
        data = "/var/lib/postgresql/data"
        docker("create", "--label", f"etl-pgtest={self.prefix}", "--name", name, *hardened(), "--user", user,
               "--env", f"PGDATA={data}/main", "--env", f"ETL_SUBNET={self.subnet}", "--shm-size", "128m",
               "--tmpfs", "/run/etl-postgres:uid=999,gid=999,mode=0700,size=1m",
               "--mount", f"type=volume,src={self.prefix}{volume},dst={data},volume-nocopy",
               "--mount", f"type=volume,src={self.prefix}config,dst=/etc/etl-postgres,readonly",
               "--mount", self.secret("postgres_server"), *words,
               "--entrypoint", "bash", self.image, "/etc/etl-postgres/start.sh")  # fmt: skip
        return name

    def start(self) -> None:
        """Start the service postgres on every network, and wait until it answers."""
        socket = f"type=volume,src={self.prefix}postgres_socket,dst=/var/run/postgresql,volume-nocopy"
        self.create(self.name, "--mount", socket, "--network", f"{self.prefix}edge", "--network-alias", "postgres",
                    "--publish", "127.0.0.1::5432")  # fmt: skip
        for network in NETWORKS:
            if network != "edge":
                docker("network", "connect", "--alias", "postgres", self.prefix + network, self.name)
        docker("start", self.name)
        self.wait()

    def wait(self, name: str | None = None, seconds: float = 60) -> None:
        """Wait until a server answers on its socket."""
        name = name or self.name
        until = time.monotonic() + seconds
        while True:
            try:
                docker("exec", name, "pg_isready", "--quiet")
            except CommandError:
                if time.monotonic() > until or docker("inspect", "-f", "{{.State.Status}}", name) == "exited":
                    raise CommandError(docker_logs(name)) from None
                time.sleep(0.2)
            else:
                return

    def apply(self) -> str:
        """Run the service postgres-roles."""
        return self.run("--rm", "--network", "none", *self.options("postgres"), "--entrypoint", "bash", self.image,
                        "/etc/etl-postgres/apply.sh")  # fmt: skip

    def password(self, role: str) -> str:
        """Return the password of a role, from where its consumer finds it."""
        if role == "analyst":
            return self.secrets["analyst/password"]
        path = {
            "airflow": "airflow/database_url",
            "source_owner": "source_owner/uri",
            "extract": "connections/source/uri",
            "load": "stages/load/uri",
            "recorder": "airflow/recorder_uri",
            "report": "stages/visualize/uri",
        }[role]
        return self.secrets[path].split(":")[2].split("@")[0]

    def sql(self, statement: str, role: str = "postgres", database: str = "", *, keep_on: bool = False) -> str:
        """Run statements as a role, where it belongs, and return unaligned rows; or errors too, if it is to keep on."""
        # From standard input, each statement is a transaction of its own.
        stop = 0 if keep_on else 1
        words = ["bash", "-c", f"psql -XAtq -v ON_ERROR_STOP={stop} {'2>&1' if keep_on else ''}"]
        stdin = statement.encode("utf-8")
        database = database or DATABASES.get(role, "warehouse")
        if role == "postgres":
            who = [f"--env=PGUSER={role}", f"--env=PGDATABASE={database}"]
            return docker("exec", "-i", *who, self.name, *words, stdin=stdin)
        network = {"airflow": "control", "recorder": "control", "analyst": "edge"}.get(role, "data")
        variables = {"PGUSER": role, "PGDATABASE": database, "PGPASSWORD": self.password(role)}
        return self.psql(network, words, variables, stdin)

    def psql(
        self, network: str, words: Sequence[str], environment: Mapping[str, str], stdin: bytes | None = None
    ) -> str:
        """Run a command in the client on a network."""
        variables = {"PGHOST": "postgres", "PGCONNECT_TIMEOUT": "10", **environment}
        options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        return docker("exec", "-i", *options, f"{self.prefix}client-{network}", *words, stdin=stdin or b"")


def docker_logs(name: str) -> str:
    """Return all that a container has said."""
    done = subprocess.run(["docker", "logs", name], capture_output=True, check=True)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
