"""Reads every place where a secret could have got to, as parts of bytes with the name of the place."""

import io
import subprocess
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from tests._stack import ROOT, Stack
from tests.e2e.needles import Part, image, unpacked

IMAGES = ("secrets", "source-data", "airflow", "docker-guard", "extract", "transform", "load", "visualize")
# What a stage can reach, what the web UI shows of it, and what the scheduler leaves for the notifier.
VOLUMES = ("runs", "inbox", "exports", "reports", "airflow_logs", "outbox")
# Who may read which database: docs/operations.md, "Who may do what".
READERS = (
    ("airflow", "airflow"),
    ("source", "source_owner"),
    ("source", "extract"),
    ("warehouse", "extract"),
    ("warehouse", "load"),
    ("warehouse", "report"),
    ("warehouse", "analyst"),
)
# What the REST API's own list of itself leaves out.
_BESIDE = ("/ui/config", "/ui/dags", "/auth/fab/v1/users", "/auth/fab/v1/roles")
# Every file that says with what a process was started, as a tar stream.
PROCESSES = """
import io, pathlib, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for file in ("environ", "cmdline"):
        for path in pathlib.Path("/proc").glob(f"[0-9]*/{file}"):
            try:
                data = path.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            entry = tarfile.TarInfo(str(path))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
"""
# What a role may read, table by table; what it may not read after all says so on the other way out.
READ_ALL = """
set session authorization {role};
select format('copy (select * from %s) to stdout', oid::regclass) from pg_class
where relkind in ('r', 'p', 'v', 'm') and has_table_privilege(oid, 'select') \\gexec
"""


class Run(NamedTuple):
    """A run that has ended, of which Airflow is asked."""

    dag_id: str
    run_id: str
    tasks: Sequence[str]


def containers(stack: Stack, *, running: bool = False) -> list[str]:
    """Give the ids of the stack's containers: services and stages, those that have ended too."""
    found: list[str] = []
    for label in (f"com.docker.compose.project={stack.project}", "etl.run_id"):
        filters = ["--filter", f"label={label}", "--filter", f"name=^{stack.project}-"]
        found += stack.docker("ps", "--no-trunc", "--quiet", *([] if running else ["--all"]), *filters).split()
    return [*dict.fromkeys(found)]


def inspections(stack: Stack, ids: Iterable[str] | None = None) -> Iterator[Part]:
    """Give what the Engine says of each container."""
    for container in containers(stack) if ids is None else ids:
        yield f"inspect {_name(stack, container)}", stack.docker("inspect", container).encode()


def logs(stack: Stack, ids: Iterable[str] | None = None) -> Iterator[Part]:
    """Give what each container has said."""
    for container in containers(stack) if ids is None else ids:
        done = subprocess.run(["docker", "logs", container], capture_output=True, check=True)
        yield f"log of {_name(stack, container)}", done.stdout + done.stderr


def processes(stack: Stack, ids: Iterable[str] | None = None) -> Iterator[Part]:
    """Give environment and command line of every process of each running container.

    A root beside them reads these: the processes of the guard, say, are closed to the guard's own user.
    """
    powers = ["--user", "0:0", "--cap-drop", "ALL", "--cap-add", "SYS_PTRACE", "--cap-add", "DAC_READ_SEARCH"]
    for container in containers(stack, running=True) if ids is None else ids:
        place = ["--pid", f"container:{container}", "--network", "none", *powers]
        program = ["--entrypoint", "python", image(stack, "secrets"), "-c", PROCESSES]
        packed = subprocess.run(["docker", "run", "--rm", *place, *program], capture_output=True, check=True).stdout
        yield from unpacked(f"process of {_name(stack, container)}", io.BytesIO(packed))


def images(stack: Stack, names: Iterable[str] | None = None) -> Iterator[Part]:
    """Give configuration, history and every file of every layer of our images."""
    names = [image(stack, name) for name in IMAGES] if names is None else names
    for name in names:
        yield f"inspect image {name}", stack.docker("image", "inspect", name).encode()
        yield f"history of image {name}", stack.docker("history", "--no-trunc", name).encode()
    with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        for place, parts in groupby(unpacked("image", saved.stdout), lambda part: part[0]):
            yield from ((place, part) for part in _inflated(data for _, data in parts))
    assert saved.returncode == 0


def volumes(stack: Stack, names: Iterable[str] = VOLUMES) -> Iterator[Part]:
    """Give every file of each volume, and what is in those that are packed."""
    for name in names:
        mount = ["--volume", f"{stack.project}_{name}:/volume:ro", "--user", "0:0", "--network", "none"]
        tar = ["--entrypoint", "tar", image(stack, "secrets"), "-C", "/volume", "-c", "."]
        packed = subprocess.run(["docker", "run", "--rm", *mount, *tar], capture_output=True, check=True).stdout
        for place, parts in groupby(unpacked(f"volume {name}", io.BytesIO(packed)), lambda part: part[0]):
            data = b"".join(part for _, part in parts)
            yield place, data
            yield from ((place, inner) for inner in _inside(place, data))


def rest(stack: Stack, runs: Iterable[Run]) -> Iterator[Part]:
    """Give what every GET of Airflow's REST API answers to its admin, about each run and each of its tasks."""
    paths = [path for path, item in stack.api.get("/openapi.json").json()["paths"].items() if "get" in item]
    # `wait` answers when a run has ended, line by line, and says no more than the run itself; others log in and out.
    paths = [path for path in paths if not path.endswith("/wait") and "/auth/" not in path] + list(_BESIDE)
    targets = {_filled(path, run, task): None for run in runs for task in run.tasks for path in paths}
    for target in targets:
        if "{" not in target:
            answer = stack.api.get(target, headers={"Accept": "application/json"})
            assert not answer.is_server_error, f"{answer.status_code} to {target}"
            # What says no is one place, however often it does.
            place = f"GET {target}" if answer.is_success else f"{answer.status_code} of the REST API"
            yield place, f"{answer.headers}\n".encode() + answer.content


def databases(stack: Stack, readers: Iterable[tuple[str, str]] = READERS) -> Iterator[Part]:
    """Give all that each role can select, tables of the system and settings and sessions too."""
    for database, role in readers:
        psql = ["psql", "-X", "--quiet", "--username=postgres", f"--dbname={database}"]
        said = stack.script("docker", "compose", "exec", "-T", "postgres", *psql, stdin=READ_ALL.format(role=role))
        yield f"database {database} for {role}", said.encode()


def repository(folder: Path = ROOT) -> Iterator[Part]:
    """Give every object of a repository that its HEAD comes from, and the files that stand there now."""
    git = ["git", "-C", str(folder)]
    listed = subprocess.run([*git, "rev-list", "--objects", "HEAD"], capture_output=True, check=True).stdout
    objects = b"".join(line.split(b" ")[0] + b"\n" for line in listed.splitlines())
    batch = [*git, "cat-file", "--batch"]
    yield "git history", subprocess.run(batch, input=objects, capture_output=True, check=True).stdout
    files = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in [*subprocess.run(files, capture_output=True, check=True).stdout.decode().split("\0"), ".env"]:
        if (folder / name).is_file():
            yield f"git tree {name}", (folder / name).read_bytes()


def _name(stack: Stack, container: str) -> str:
    return stack.docker("inspect", "--format", "{{.Name}}", container).strip().removeprefix("/")


def _filled(path: str, run: Run, task: str) -> str:
    """Fill in what a path names, as far as a run and one of its tasks have it."""
    words = {"dag_id": run.dag_id, "dag_run_id": run.run_id, "run_id": run.run_id, "xcom_key": "return_value"}
    words |= {"task_id": task, "task_instance_id": task, "map_index": "-1", "try_number": "1", "task_try_number": "1"}
    words |= {"section": "core", "option": "fernet_key", "variable_key": "planted", "connection_id": "planted"}
    for word, value in words.items():
        path = path.replace(f"{{{word}}}", value)
    return path


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Give a file as it is, or inflated where the Engine keeps its layers compressed."""
    inflate = None
    for number, part in enumerate(parts):
        if number == 0 and part.startswith(b"\x1f\x8b"):
            inflate = zlib.decompressobj(wbits=31)
        yield inflate.decompress(part) if inflate else part


def _inside(place: str, data: bytes) -> Iterator[bytes]:
    """Give what a packed file holds."""
    if data.startswith(b"PAR1"):
        with suppress(pa.ArrowInvalid):  # a stage that was killed leaves one without an end
            yield repr(parquet.read_table(io.BytesIO(data)).to_pydict()).encode()
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from map(archive.read, archive.namelist())
    elif data.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):
            yield zlib.decompress(data, wbits=31)
