"""Prepares the real Engine: images that stand in for the stages, their network, and volumes with secrets in them."""

import io
import json
import os
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from tests._engine import docker as command
from tests._engine import image
from tests.docker_guard.wishes import INSTALLATION, Wishes

SOCKET = Path("/var/run/docker.sock")
# Does what its task says, in Python.
PROGRAM = "import json, os; exec(json.loads(os.environ['ETL_TASK'])['python'])"
RUNS = {"flights/rows": "of flights", "payroll/rows": "of another pipeline"}
SECRETS = {"connections/source/uri": "the source's", "stages/load/uri": "load's", "airflow/fernet_key": "Airflow's"}


def base_image(engine: docker.APIClient) -> str:
    """Give an image with Python in it that the Engine has."""
    candidates = (image("docker-guard"), os.environ.get("PYTHON_IMAGE", ""), "etl-upstream/python:3.13-trixie")
    for candidate in filter(None, candidates):
        try:
            engine.inspect_image(candidate)
        except ImageNotFound:
            continue
        return candidate
    pytest.skip(f"needs one of the images {', '.join(filter(None, candidates))}; `make test` builds them")


def files(contents: dict[str, str], *, owner: int = 10001, mode: int = 0o400) -> bytes:
    """Pack files for `put_archive`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folders = sorted({str(parent) for name in contents for parent in Path(name).parents if str(parent) != "."})
        for name in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, owner, owner
            archive.addfile(entry)
        for name, text in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(text), mode, owner, owner
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


@contextmanager
def installation(engine: docker.APIClient) -> Iterator[Wishes]:
    """Set up what `make up` would have, under a name of its own; remove all of it afterwards."""
    token = secrets.token_hex(3)
    wishes = Wishes(project=f"etl-guard-test-{token}", images="etl-guard-test-", tag=token)
    base = base_image(engine)
    images = [f"etl-guard-test-{stage}:{token}" for stage in ("extract", "transform", "load", "visualize")]
    for name, user in zip(images, ["10001:10001"] * 3 + ["0:0"], strict=True):
        entrypoint = json.dumps(["python3", "-uc", PROGRAM])
        steps = [f"FROM {base}", "USER 0", "RUN install -d -o 10001 -g 10001 /runs /exports /reports"]
        recipe = "\n".join([*steps, f"USER {user}", "HEALTHCHECK NONE", f"ENTRYPOINT {entrypoint}"])
        command("build", "--quiet", "--tag", name, "-", stdin=recipe.encode())
    network = engine.create_network(f"{wishes.project}_data", internal=True)["Id"]
    try:
        keeper = engine.create_container(
            images[0],
            name=f"{wishes.project}-keeper",
            host_config=engine.create_host_config(
                binds=[f"{wishes.project}_{volume}:/{volume}" for volume in ("secrets", "runs")]
            ),
        )["Id"]
        engine.put_archive(keeper, "/secrets", files(SECRETS))
        engine.put_archive(keeper, "/runs", files(RUNS))
        yield wishes
    finally:
        for container in engine.containers(all=True, filters={"name": wishes.project}):
            engine.remove_container(container["Id"], force=True, v=True)
        engine.remove_network(network)
        for volume in engine.volumes(filters={"name": wishes.project})["Volumes"] or []:
            engine.remove_volume(volume["Name"])
        for name in images:
            engine.remove_image(name, force=True)


def state(engine: docker.APIClient, wishes: Wishes) -> object:
    """Tell what there is of an installation, so that a change of it is seen."""
    ours = engine.containers(all=True, filters={"name": wishes.project})
    ours += engine.containers(all=True, filters={"label": f"etl.installation={INSTALLATION}"})
    ours += engine.containers(all=True, filters={"ancestor": f"{wishes.images}extract:{wishes.tag}"})
    processes = [engine.inspect_container(one["Id"])["ExecIDs"] for one in ours if one["State"] == "running"]
    return (
        processes,
        sorted((container["Id"], container["State"], container["Names"][0]) for container in ours),
        sorted(volume["Name"] for volume in engine.volumes(filters={"name": wishes.project})["Volumes"] or []),
        sorted(tag for image in engine.images(filters={"reference": f"*:{wishes.tag}"}) for tag in image["RepoTags"]),
        sorted(network["Name"] for network in engine.networks(names=[wishes.project])),
        sorted(engine.inspect_network(f"{wishes.project}_data")["Containers"]),
    )
