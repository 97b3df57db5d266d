"""Tests the guard before the real Engine: a stage's whole life, and what nobody may do."""

import json
import time
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import Mount
from structlog.testing import capture_logs

from tests.docker_guard.real_engine import SECRETS, SOCKET, installation, state
from tests.docker_guard.running import RunningGuard, settings
from tests.docker_guard.wishes import Wishes

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOCKET.exists(), reason=f"needs a Docker Engine at {SOCKET}"),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    """Speak to the Engine past the guard."""
    with docker.APIClient(f"unix://{SOCKET}", version="1.45", timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def ours(engine: docker.APIClient) -> Iterator[Wishes]:
    """Set up an installation on the Engine."""
    with installation(engine) as wishes:
        yield wishes


@pytest.fixture(scope="module")
def client(ours: Wishes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.APIClient]:
    """Speak to the Engine through the guard."""
    folder = tmp_path_factory.mktemp("guard")
    with RunningGuard(settings(folder, SOCKET, ours)) as guard, guard.client() as client:
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
    """A container is created, started, found, followed line by line, measured, waited for, inspected and removed."""
    program = "import time\nfor n in range(4): print('row', n); time.sleep(0.5)\nraise SystemExit(3)"
    client.ping()
    assert client.inspect_image(f"{ours.images}extract:{ours.tag}")["Config"]["User"] == "10001:10001"
    assert len(client.images(name=f"{ours.images}extract:{ours.tag}")) == 1
    container = client.create_container(name=ours.name(), **ours.arguments("extract", {"python": program}))["Id"]
    client.start(container)
    found = client.containers(all=True, filters={"label": ["etl.run_id=manual__2026-03-01T06:00:00+00:00"]})
    assert [one["Id"] for one in found] == [container]

    heard = [(time.monotonic(), line) for line in client.logs(container, stream=True, follow=True)]
    assert b"".join(line for _, line in heard) == b"row 0\nrow 1\nrow 2\nrow 3\n"
    assert heard[-1][0] - heard[0][0] > 1, "lines come as they are said"
    assert client.wait(container) == {"StatusCode": 3}
    assert client.logs(container, tail=1) == b"row 3\n"
    assert "memory_stats" in client.stats(container, stream=False)
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
for path in '/x', '/runs/x', '/tmp/x', '/usr/bin/x':
    try: open(path, 'w').close(); print(path, 'written')
    except OSError as error: print(path, error.strerror)
print(os.path.exists('/var/run/docker.sock'), os.listdir('/sys/class/net'))
"""
    code, said = _run(client, ours, "transform", program)

    assert code == 0
    assert said == [
        "10001 10001 [10001] 0000000000000000 0000000000000000 1",
        "/x Read-only file system",
        "/runs/x written",
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


def test_an_image_that_runs_as_root_is_refused(client: docker.APIClient, ours: Wishes) -> None:
    """An image of the right name that was built to run as another user than the policy says does not start."""
    container = client.create_container(name=ours.name("visualize"), **ours.arguments("visualize", {}))["Id"]
    with capture_logs(), pytest.raises(APIError, match=r"runs as '0:0', which the policy does not allow"):
        client.start(container)

    assert client.inspect_container(container)["State"]["Status"] == "created"
    client.remove_container(container)


Attempt = Callable[[docker.APIClient, Wishes, str, str], object]


def _create(**host: object) -> Attempt:
    return lambda client, ours, _stage, _other: client.create_container(name=ours.name(), **ours.arguments(**host))


ATTEMPTS: dict[str, Attempt] = {
    "privileged": _create(privileged=True),
    "the host's root": _create(binds=["/:/host"]),
    "the host's root as a mount": _create(mounts=[Mount("/runs", "/", type="bind")]),
    "the Engine's socket": _create(mounts=[Mount("/runs", str(SOCKET), type="bind")]),
    "a capability": _create(cap_add=["SYS_ADMIN"]),
    "no hardening": _create(cap_drop=None),
    "a device": _create(devices=["/dev/vda:/dev/vda:rwm"]),
    "the host's processes": _create(pid_mode="host"),
    "the host's network": _create(network_mode="host"),
    "another's network": lambda c, w, _s, o: _create(network_mode=f"container:{o}")(c, w, _s, o),
    "another's volumes": lambda c, w, _s, o: _create(volumes_from=[o])(c, w, _s, o),
    "no limit": _create(mem_limit=None, memswap_limit=None),
    "an image of others": lambda c, w, _s, _o: c.create_container(
        name=w.name(), **(w.arguments() | {"image": "etl-platform/airflow:local"})
    ),
    "another program": lambda c, w, _s, _o: c.create_container(name=w.name(), entrypoint=["sh"], **w.arguments()),
    "another user": lambda c, w, _s, _o: c.create_container(name=w.name(), user="0", **w.arguments()),
    "a bare container": lambda c, w, _s, _o: c.create_container(f"{w.images}extract:{w.tag}", name=w.name()),
    "a program in a stage": lambda c, _w, s, _o: c.exec_create(s, ["id"]),
    "files out of a stage": lambda c, _w, s, _o: c.get_archive(s, "/run/secrets"),
    "files into a stage": lambda c, _w, s, _o: c.put_archive(s, "/runs", b""),
    "a stage as an image": lambda c, _w, s, _o: c.commit(s),
    "a stage as a file": lambda c, _w, s, _o: next(c.export(s)),
    "a stage's terminal": lambda c, _w, s, _o: c.attach(s),
    "a stage's limits": lambda c, _w, s, _o: c.update_container(s, mem_limit="8g"),
    "a stage's name": lambda c, _w, s, _o: c.rename(s, "postgres"),
    "a stage's network": lambda c, w, s, _o: c.connect_container_to_network(s, f"{w.project}_data"),
    "another's inspection": lambda c, _w, _s, o: c.inspect_container(o),
    "another's log": lambda c, _w, _s, o: c.logs(o),
    "another's end": lambda c, _w, _s, o: c.kill(o),
    "another's removal": lambda c, _w, _s, o: c.remove_container(o, force=True, v=True),
    "a short id": lambda c, _w, s, _o: c.inspect_container(s[:12]),
    "a name": lambda c, w, _s, _o: c.inspect_container(f"{w.project}-other"),
    "a pull": lambda c, _w, _s, _o: c.pull("alpine", tag="latest"),
    "an image's removal": lambda c, w, _s, _o: c.remove_image(f"{w.images}extract:{w.tag}"),
    "an image's other name": lambda c, w, _s, _o: c.tag(f"{w.images}extract:{w.tag}", "etl-guard-test-stolen"),
    "all images": lambda c, _w, _s, _o: c.images(),
    "volumes": lambda c, _w, _s, _o: c.volumes(),
    "a volume over the host": lambda c, w, _s, _o: c.create_volume(
        f"{w.project}_new", driver_opts={"type": "none", "o": "bind", "device": "/"}
    ),
    "networks": lambda c, _w, _s, _o: c.networks(),
    "the Engine's facts": lambda c, _w, _s, _o: c.info(),
    "its events": lambda c, _w, _s, _o: c._result(c._get(c._url("/events"))),
    "its cleaning": lambda c, _w, _s, _o: c.prune_containers(),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_nobody_gets_further_than_a_stage(  # noqa: PLR0913, PLR0917 - fixtures
    attempt: Attempt, client: docker.APIClient, engine: docker.APIClient, ours: Wishes, stage: str, other: str
) -> None:
    """Each attempt at more than a stage needs ends with 403, a line in the log, and the Engine as it was."""
    before = state(engine, ours)
    with capture_logs() as log, pytest.raises(APIError, match="docker-guard: ") as error:
        attempt(client, ours, stage, other)

    assert error.value.status_code == 403
    assert {line["event"] for line in log} == {"refused"}
    assert state(engine, ours) == before


def test_others_are_not_listed(client: docker.APIClient, ours: Wishes, stage: str, other: str) -> None:
    """A list shows our stages, and neither another installation's nor anything else on the Engine."""
    listed = {container["Id"] for container in client.containers(all=True)}

    assert stage in listed
    assert other not in listed
    assert client.containers(all=True, filters={"label": "etl.installation=another-installation"}) == []
    assert all(container["Names"][0].startswith(f"/{ours.project}-") for container in client.containers(all=True))
