"""Puts a secret where it must not be, into one place after another, and takes it away again."""

import gzip
import io
import json
import subprocess
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from tests._stack import ROOT, Stack, until
from tests.e2e.needles import Part, image
from tests.e2e.places import (
    Run,
    databases,
    images,
    inspections,
    logs,
    processes,
    repository,
    rest,
    volumes,
)


class Ground(NamedTuple):
    """Where something can be planted: a stack, and a run of it."""

    stack: Stack
    run: Run


class Plant(NamedTuple):
    """How a secret gets there, and in which place and form it is found."""

    put: Callable[[Ground, str], AbstractContextManager[Iterator[Part]]]
    place: str
    form: str = "as it is"


@contextmanager
def _container(ground: Ground, secret: str, *, look: str) -> Iterator[Iterator[Part]]:
    """Start a container that was told the secret, by its environment and its command line, and says it."""
    stack, name = ground.stack, f"{ground.stack.project}-planted"
    program = "import sys, time; print(sys.argv[1], flush=True); time.sleep(600)"
    told = {"env": ["--env", f"TOLD={secret}", "x"], "argv": ["x"]}["env" if look == "environ" else "argv"]
    words = ["--label", "etl.run_id=planted", "--network", "none", *told[:-1], "--entrypoint", "python"]
    said = secret if look != "environ" else "nothing"
    container = stack.docker("run", "--detach", "--name", name, *words, image(stack, "secrets"), "-c", program, said)
    try:
        until(lambda: stack.docker("logs", name) != "", 30)
        yield {"environ": processes, "cmdline": processes, "inspect": inspections, "log": logs}[look](
            stack, [container.strip()]
        )
    finally:
        stack.docker("rm", "--force", name)


@contextmanager
def _image(ground: Ground, secret: str, *, step: str) -> Iterator[Iterator[Part]]:
    """Build an image that has the secret in a file of a layer, which a later layer hides, or in its configuration."""
    stack, name = ground.stack, image(ground.stack, "planted")
    recipe = f"FROM {image(stack, 'secrets')}\nUSER 0\n{step}\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "secret"
        file.write_text(secret)
        # What a step was told by a secret is no reason for BuildKit to run it again.
        options = [
            "--quiet",
            "--no-cache",
            "--tag",
            name,
            "--secret",
            f"id=planted,src={file}",
            "--build-arg",
            f"SECRET={secret}",
        ]
        try:
            stack.script("docker", "build", *options, "-", stdin=recipe)
            yield images(stack, [name])
        finally:
            stack.docker("image", "rm", "--force", name)


@contextmanager
def _file(ground: Ground, secret: str, *, volume: str, pack: Callable[[str], bytes]) -> Iterator[Iterator[Part]]:
    """Write a file into a volume."""

    def shell(command: str, data: bytes = b"") -> None:
        mount = ["--volume", f"{ground.stack.project}_{volume}:/volume", "--user", "0:0", "--network", "none"]
        words = ["--entrypoint", "sh", image(ground.stack, "secrets"), "-c", command]
        subprocess.run(["docker", "run", "--rm", "--interactive", *mount, *words], input=data, check=True)

    shell("cat >/volume/planted", pack(secret))
    try:
        yield volumes(ground.stack, [volume])
    finally:
        shell("rm /volume/planted")


@contextmanager
def _variable(ground: Ground, secret: str) -> Iterator[Iterator[Part]]:
    """Save it in Airflow as a variable."""
    api = ground.stack.api
    api.post("/api/v2/variables", json={"key": "planted", "value": secret}).raise_for_status()
    try:
        yield rest(ground.stack, [ground.run])
    finally:
        api.delete("/api/v2/variables/planted").raise_for_status()


@contextmanager
def _xcom(ground: Ground, secret: str, *, look: str) -> Iterator[Iterator[Part]]:
    """Leave it in XCom."""
    run = ground.run
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{run.tasks[0]}/xcomEntries"
    ground.stack.api.post(path, json={"key": "planted", "value": secret}).raise_for_status()
    where = f"dag_id = '{run.dag_id}' and key = 'planted'"
    try:
        yield (
            databases(ground.stack, [("airflow", "airflow")])
            if look == "database"
            else _one(ground.stack, f"{path}/planted")
        )
    finally:
        ground.stack.sql("airflow", f"delete from xcom where {where}")  # noqa: S608 - our own words


def _one(stack: Stack, path: str) -> Iterator[Part]:
    yield f"GET {path}", stack.api.get(path).content


@contextmanager
def _rendered(ground: Ground, secret: str) -> Iterator[Iterator[Part]]:
    """Let it stand among the rendered fields of a task."""
    run = ground.run
    words = {"dag": run.dag_id, "run": run.run_id, "task": run.tasks[0], "fields": json.dumps({"environment": secret})}
    insert = """
        insert into rendered_task_instance_fields (dag_id, task_id, run_id, map_index, rendered_fields)
        values (:'dag', :'task', :'run', -1, :'fields')
        on conflict (dag_id, task_id, run_id, map_index) do update set rendered_fields = excluded.rendered_fields
    """
    ground.stack.sql("airflow", insert, **words)
    try:
        yield rest(ground.stack, [ground.run])
    finally:
        ground.stack.sql("airflow", "delete from rendered_task_instance_fields where dag_id = :'dag'", **words)


@contextmanager
def _sql(ground: Ground, secret: str, *, do: str, undo: str, reader: str) -> Iterator[Iterator[Part]]:
    """Leave it in the warehouse."""
    ground.stack.sql("warehouse", do.replace("SECRET", secret))
    try:
        yield databases(ground.stack, [("warehouse", reader)])
    finally:
        ground.stack.sql("warehouse", undo)


@contextmanager
def _session(ground: Ground, secret: str) -> Iterator[Iterator[Part]]:
    """Let a session of the same role run a statement that has it."""
    psql = ["docker", "exec", f"{ground.stack.project}-postgres-1", "psql", "-X", "--username=analyst", "warehouse"]
    with subprocess.Popen([*psql, "--command", f"select pg_sleep(60) /* {secret} */"]) as process:
        there = "select 1 as there from pg_stat_activity where usename = 'analyst' and query ~ 'pg_sleep'"
        try:
            until(lambda: ground.stack.sql("warehouse", there) != [], 30)
            yield databases(ground.stack, [("warehouse", "analyst")])
        finally:
            ground.stack.sql(
                "warehouse", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'analyst'"
            )
            process.wait()


@contextmanager
def _commit(ground: Ground, secret: str) -> Iterator[Iterator[Part]]:
    """Commit it to a clone of this repository, and take it back by another commit."""
    with tempfile.TemporaryDirectory() as folder:
        _git("clone", "--quiet", "--depth", "1", ROOT.as_uri(), folder)
        identity = ("-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.org")
        (Path(folder) / "planted.txt").write_text(secret)
        _git(*identity, "add", "planted.txt")
        _git(*identity, "commit", "--quiet", "--no-verify", "--message", "Plant")
        _git(*identity, "rm", "--quiet", "planted.txt")
        _git(*identity, "commit", "--quiet", "--no-verify", "--message", "Take back")
        yield repository(Path(folder))


@contextmanager
def _draft(ground: Ground, secret: str) -> Iterator[Iterator[Part]]:
    """Leave it in a file of the working tree that is not committed yet."""
    with tempfile.TemporaryDirectory() as folder:
        _git("clone", "--quiet", "--depth", "1", ROOT.as_uri(), folder)
        (Path(folder) / "notes.txt").write_text(secret)
        yield repository(Path(folder))


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True)


def _as_parquet(secret: str) -> bytes:
    into = io.BytesIO()
    # Among others like it: what is alone would stand there as it is.
    rows = [*(token_urlsafe(32) for _ in range(100)), secret]
    parquet.write_table(pa.table({"a": rows}), into, compression="gzip", write_statistics=False)
    assert secret.encode() not in into.getvalue()
    return into.getvalue()


def _as_workbook(secret: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", secret)
    return into.getvalue()


_LAYER = "RUN --mount=type=secret,id=planted cp /run/secrets/planted /planted\nRUN rm /planted"
_TABLE = "set role load; create table mart.planted as select 'SECRET' as a; grant select on mart.planted to public"
_SETTING = "alter role report in database warehouse {} application_name"
PLANTS: dict[str, Plant] = {
    "environment of a process": Plant(partial(_container, look="environ"), "proc/1/environ"),
    "command line of a process": Plant(partial(_container, look="cmdline"), "proc/1/cmdline"),
    "a container's configuration": Plant(partial(_container, look="inspect"), "inspect "),
    "the log of a service": Plant(partial(_container, look="log"), "log of "),
    "a layer of an image": Plant(partial(_image, step=_LAYER), "image blobs/"),
    "an image's history": Plant(partial(_image, step="ARG SECRET\nRUN echo $SECRET"), "history of image "),
    "an image's environment": Plant(partial(_image, step="ARG SECRET\nENV X=$SECRET"), "inspect image "),
    "the runs, in Parquet": Plant(partial(_file, volume="runs", pack=_as_parquet), "volume runs "),
    "the inbox, zipped": Plant(
        partial(_file, volume="inbox", pack=lambda s: gzip.compress(s.encode())), "volume inbox "
    ),
    "the exports, as a workbook": Plant(partial(_file, volume="exports", pack=_as_workbook), "volume exports "),
    "the reports, in base64": Plant(
        partial(_file, volume="reports", pack=lambda s: b64encode(f'{{"a": "{s}"}}'.encode())),
        "volume reports ",
        "base64",
    ),
    "the logs of tasks": Plant(partial(_file, volume="airflow_logs", pack=str.encode), "volume airflow_logs "),
    "a variable of Airflow": Plant(_variable, "/variables"),
    "XCom": Plant(partial(_xcom, look="rest"), "/xcomEntries/planted"),
    "XCom's table": Plant(partial(_xcom, look="database"), "database airflow for airflow"),
    "rendered fields": Plant(_rendered, "/taskInstances"),
    "a table of the warehouse": Plant(
        partial(_sql, do=_TABLE, undo="drop table mart.planted", reader="report"), "database warehouse for report"
    ),
    "a setting of a role": Plant(
        partial(_sql, do=_SETTING.format("set") + " = 'SECRET'", undo=_SETTING.format("reset"), reader="load"),
        "database warehouse for load",
    ),
    "a statement of a session": Plant(_session, "database warehouse for analyst"),
    "a commit": Plant(_commit, "git history"),
    "a file that is not committed": Plant(_draft, "git tree notes.txt"),
}
