"""Tests the guard before the real Engine: a stage's whole life, as docker-py asks for it."""

import json
import time
from collections.abc import Iterator

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound
from structlog.testing import capture_logs

from tests._engine import docker as docker_command
from tests.docker_guard.real_engine import SECRETS, SOCKET, installation
from tests.docker_guard.running import RunningGuard, settings
from tests.docker_guard.wishes import Wishes

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOCKET.exists(), reason=f"needs a Docker Engine at {SOCKET}"),
]


@pytest.fixture(scope="module")
def ours(engine: docker.APIClient) -> Iterator[Wishes]:
    """Set up an installation on the Engine."""
    with installation(engine) as wishes:
        yield wishes


@pytest.fixture(scope="module")
def guard(ours: Wishes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGuard]:
    """Run a guard before the Engine."""
    with RunningGuard(settings(tmp_path_factory.mktemp("guard"), SOCKET, ours)) as guard:
        yield guard


@pytest.fixture(scope="module")
def client(guard: RunningGuard) -> Iterator[docker.APIClient]:
    """Speak to the Engine through the guard."""
    with guard.client() as client:
        yield client


@pytest.fixture(scope="module")
def other(engine: docker.APIClient, ours: Wishes) -> Iterator[str]:
    """Run a container that is not ours, but of another installation."""
    arguments = ours.arguments("transform", {"python": "import time; time.sleep(60)"})
    arguments["labels"]["etl.installation"] = "another-installation"
    container: str = engine.create_container(name=f"{ours.project}-other", **arguments)["Id"]
    engine.start(container)
    yield container
    engine.remove_container(container, force=True, v=True)


@pytest.fixture(scope="module")
def stage(client: docker.APIClient, ours: Wishes) -> Iterator[str]:
    """Run a stage of ours through the guard."""
    arguments = ours.arguments("transform", {"python": "import time; time.sleep(60)"})
    container: str = client.create_container(name=ours.name("transform"), **arguments)["Id"]
    client.start(container)
    yield container
    client.remove_container(container, force=True, v=True)


def _run(client: docker.APIClient, ours: Wishes, stage: str, program: str) -> tuple[int, list[str]]:
    """Run a program as a stage through the guard; give its exit code and what it said."""
    container = client.create_container(name=ours.name(stage), **ours.arguments(stage, {"python": program}))["Id"]
    try:
        client.start(container)
        said = b"".join(client.logs(container, stream=True, follow=True)).decode().splitlines()
        return client.wait(container)["StatusCode"], said
    finally:
        client.remove_container(container, force=True, v=True)


def test_a_stage_lives_its_whole_life_through_the_guard(
    client: docker.APIClient, engine: docker.APIClient, ours: Wishes
) -> None:
    """A container is created, started, found, followed line by line, waited for, inspected and removed."""
    program = "import time\nfor n in range(4): print('row', n); time.sleep(0.5)\nraise SystemExit(3)"
    client.ping()
    assert client.inspect_image(f"{ours.images}extract:{ours.tag}")["Config"]["User"] == "10001:10001"
    container = client.create_container(name=ours.name(), **ours.arguments("extract", {"python": program}))["Id"]
    client.start(container)
    found = client.containers(all=True, filters={"label": ["etl.run_id=manual__2026-03-01T06:00:00+00:00"]})
    assert [one["Id"] for one in found] == [container]

    heard = [(time.monotonic(), line) for line in client.logs(container, stream=True, follow=True)]
    assert b"".join(line for _, line in heard) == b"row 0\nrow 1\nrow 2\nrow 3\n"
    assert heard[-1][0] - heard[0][0] > 1, "lines come as they are said"
    assert client.wait(container) == {"StatusCode": 3}
    assert client.logs(container, tail=1) == b"row 3\n"
    inspected = client.inspect_container(container)
    assert inspected["State"]["ExitCode"] == 3
    assert inspected["Config"]["Env"] == []
    assert engine.inspect_container(container)["Config"]["Env"] != []
    client.remove_container(container, force=True, v=True)
    with pytest.raises(NotFound):
        client.inspect_container(container)


def test_a_stage_is_hardened(client: docker.APIClient, ours: Wishes) -> None:
    """A stage that the guard lets through is not root, gets no capability, and writes only where it may."""
    program = """
import os
status = dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
print(os.getuid(), os.getgid(), os.getgroups(), status['CapEff'], status['CapBnd'], status['NoNewPrivs'])
for path in '/x', '/runs/x', '/runs/flights/x', '/tmp/x', '/usr/bin/x':
    try: open(path, 'w').close(); print(path, 'written')
    except OSError as error: print(path, error.strerror)
print(os.path.exists('/var/run/docker.sock'), os.listdir('/sys/class/net'))
"""
    code, said = _run(client, ours, "transform", program)

    assert code == 0
    assert said == [
        "10001 10001 [10001] 0000000000000000 0000000000000000 1",
        "/x Read-only file system",
        "/runs/x Read-only file system",
        "/runs/flights/x written",
        "/tmp/x written",  # noqa: S108 - in the container
        "/usr/bin/x Read-only file system",
        "False ['lo']",
    ]


def test_a_stage_sees_its_own_secret_and_no_other(client: docker.APIClient, ours: Wishes) -> None:
    """Extract reads the one connection that was mounted for it; neither load's secret nor Airflow's is there."""
    program = """
import os, pathlib
for folder, _, names in os.walk('/run/secrets'):
    for name in names: print(folder, pathlib.Path(folder, name).read_text())
"""
    code, said = _run(client, ours, "extract", program)

    assert code == 0
    assert said == [f"/run/secrets/connections/source {SECRETS['connections/source/uri']}"]


def test_an_authors_code_sees_the_files_of_its_own_pipeline_alone(client: docker.APIClient, ours: Wishes) -> None:
    """A transform of flights finds nothing of payroll's, neither by name nor by `..`."""
    program = """
import glob, os
print(os.listdir('/runs'), glob.glob('/runs/**/rows', recursive=True), os.path.exists('/runs/flights/../payroll'))
"""
    assert _run(client, ours, "transform", program) == (0, ["['flights'] ['/runs/flights/rows'] False"])


def test_a_long_task_reaches_the_stage_whole(client: docker.APIClient, ours: Wishes) -> None:
    """A task of 120 KiB, close to what Linux takes, arrives as it was sent."""
    program = f"import os; print(len(os.environ['ETL_TASK']))  # {'x' * 120_000}"

    assert _run(client, ours, "transform", program) == (0, [str(len(json.dumps({"python": program})))])


def test_stop_kill_and_wait_do_what_they_say(client: docker.APIClient, ours: Wishes) -> None:
    """A stage is stopped with SIGTERM within its 3 s, and killed at once."""
    for end, code in (
        (lambda container: client.stop(container, timeout=3), 143),
        (client.kill, 137),
        (lambda container: client.kill(container, "SIGTERM"), 143),
    ):
        arguments = ours.arguments("transform", {"python": "import time; print('up'); time.sleep(60)"})
        container = client.create_container(name=ours.name("transform"), **arguments)["Id"]
        client.start(container)
        lines = client.logs(container, stream=True, follow=True)
        assert next(lines) == b"up\n"
        end(container)
        assert list(lines) == []

        assert client.wait(container) == {"StatusCode": code}
        client.remove_container(container)


def test_an_image_that_is_not_built_is_named_as_such(
    engine: docker.APIClient, client: docker.APIClient, ours: Wishes
) -> None:
    """A stage whose image is missing ends with docker-py's ImageNotFound, and nothing is pulled."""
    image = f"{ours.images}load:{ours.tag}"
    engine.tag(image, "etl-guard-test-kept", ours.tag)
    engine.remove_image(image)
    try:
        with pytest.raises(ImageNotFound, match="No such image"):
            client.create_container(name=ours.name("load"), **ours.arguments("load", {}))
    finally:
        engine.tag(f"etl-guard-test-kept:{ours.tag}", image.partition(":")[0], ours.tag)
        engine.remove_image(f"etl-guard-test-kept:{ours.tag}")


def test_an_image_that_runs_as_root_is_refused(
    client: docker.APIClient, engine: docker.APIClient, ours: Wishes
) -> None:
    """Of an image of the right name that was built to run as another user than the policy says, nothing is created."""
    name = ours.name("visualize")
    with capture_logs(), pytest.raises(APIError, match=r"runs as '0:0', which the policy does not allow"):
        client.create_container(name=name, **ours.arguments("visualize", {}))

    assert engine.containers(all=True, filters={"name": name}) == []


def test_an_image_under_anothers_name_runs_nothing(
    guard: RunningGuard, client: docker.APIClient, engine: docker.APIClient, ours: Wishes
) -> None:
    """Whoever gives load's name to another image starts neither; a start of the platform takes the new one."""
    name, other = f"{ours.images}load:{ours.tag}", "etl-guard-test-another"
    right = engine.inspect_image(name)["Id"]
    wrong = docker_command(
        "build", "--quiet", "--tag", f"{other}:{ours.tag}", "-", stdin=f"FROM {name}\nENV A=1".encode()
    )
    arguments = ours.arguments("load", {"python": "pass"})
    engine.tag(f"{other}:{ours.tag}", name.partition(":")[0], ours.tag)
    try:
        with capture_logs() as log, pytest.raises(APIError, match=r"load:.* is another image now") as refusal:
            client.create_container(name=ours.name("load"), **arguments)

        assert refusal.value.status_code == 409
        short = wrong.removeprefix("sha256:")[:12], right.removeprefix("sha256:")[:12]
        assert f"({short[0]}) than when the platform was started ({short[1]})" in log[0]["reason"]
        assert engine.containers(all=True, filters={"ancestor": wrong}) == []

        guard.platform_starts()
        container = client.create_container(name=ours.name("load"), **arguments)["Id"]
        assert engine.inspect_container(container)["Image"] == wrong
        client.remove_container(container)
    finally:
        engine.tag(right, name.partition(":")[0], ours.tag)
        engine.remove_image(f"{other}:{ours.tag}", force=True)
        guard.platform_starts()


def test_a_container_is_started_by_its_images_id(
    client: docker.APIClient, engine: docker.APIClient, ours: Wishes
) -> None:
    """Between the check and the start a name cannot come to mean another image: the Engine hears none."""
    container = client.create_container(name=ours.name("load"), **ours.arguments("load", {"python": "pass"}))["Id"]
    found = engine.inspect_container(container)
    client.remove_container(container)

    assert found["Config"]["Image"] == found["Image"] == engine.inspect_image(f"{ours.images}load:{ours.tag}")["Id"]


def test_others_are_not_listed(client: docker.APIClient, ours: Wishes, stage: str, other: str) -> None:
    """A list shows our stages, and neither another installation's nor anything else on the Engine."""
    listed = {container["Id"] for container in client.containers(all=True)}

    assert stage in listed
    assert other not in listed
    assert client.containers(all=True, filters={"label": "etl.installation=another-installation"}) == []
    assert all(container["Names"][0].startswith(f"/{ours.project}-") for container in client.containers(all=True))
