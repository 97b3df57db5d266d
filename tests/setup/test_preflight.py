"""A machine that cannot run the platform is refused before anything changes."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.setup.project import Project, base_image, docker

FREE = {
    "AIRFLOW_PORT": "18980",
    "POSTGRES_PORT": "18981",
    "ETL_SUBNET": "198.18.77",
    "COMPOSE_PROJECT_NAME": "etl-preflight",
}
OLD_ENGINE = """
case "$*" in
  *ServerVersion*) echo 20.10.24 ;;
  *Server.Version*) echo 20.10.24+dfsg1 ;;
  'compose version --short') echo v2.17.2 ;;
  *MemTotal*) echo 2000000000 ;;
  *DockerRootDir*) echo /var/lib/docker/overlay2 ;;
  *) exit 1 ;;
esac
"""

# What a killed daemon leaves in the kernel: a bridge with an address, and so a route.
LEFT_BRIDGE = """
import fcntl, socket, struct

name = b"br-0123456789ab"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kernel:
    fcntl.ioctl(kernel, 0x89A0, name)  # SIOCBRADDBR
    for request, address in ((0x8916, "198.18.77.1"), (0x891C, "255.255.255.192")):  # SIOCSIFADDR, SIOCSIFNETMASK
        wanted = struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(kernel, request, wanted)
    fcntl.ioctl(kernel, 0x8914, struct.pack("16sH22x", name, 0x1))  # SIOCSIFFLAGS: up
"""


@pytest.fixture
def taken() -> Iterator[int]:
    """Listen on a port, as another program does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def network() -> Iterator[str]:
    """Have a network of another project."""
    name = f"etl-preflight-{uuid4().hex[:8]}"
    docker("network", "create", "--subnet", "198.18.77.64/28", "--label", "com.docker.compose.project=other", name)
    yield name
    docker("network", "rm", name)


def test_a_good_machine_is_told_what_it_has(project: Project) -> None:
    """One line says versions, memory, disk, ports and subnet."""
    done = project.run("setup/preflight.sh", **FREE)

    assert done.returncode == 0, done.stderr
    assert "Docker Engine" in done.stdout
    assert "ports 18980 and 18981, subnet 198.18.77.0/24" in done.stdout


def test_every_problem_is_told_at_once_with_what_to_do(project: Project, taken: int) -> None:
    """A person mends all in one go, and nothing was changed before."""
    project.fake("bin/docker", OLD_ENGINE)
    project.fake(
        "bin/df", "printf 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 9 9 2048000 9%% /\\n'"
    )

    done = project.run("setup/preflight.sh", AIRFLOW_PORT=str(taken), POSTGRES_PORT="five", ETL_SUBNET="10.0")

    assert done.returncode == 2
    problems = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert [problem.split(":")[0] for problem in problems] == [
        "engine",
        "compose",
        "buildx",
        "memory",
        "disk",
        "AIRFLOW_PORT",
        "POSTGRES_PORT",
        "ETL_SUBNET",
    ]
    assert problems[0].startswith("engine: Docker Engine 20.10.24+dfsg1 runs here, 26.0 or later is needed")
    assert problems[3] == (
        "memory: Docker has 1907 MB, 3800 MB needed. "
        "Give it more (Docker Desktop: Settings, Resources), or take a larger machine"
    )
    assert "disk: 2000 MB free at /" in problems[4]
    assert problems[4].endswith("6000 MB needed. Free some, for instance: docker system prune")
    assert problems[5] == (
        f"AIRFLOW_PORT: port {taken} is taken by another program. Stop that (lsof -i :{taken} says which), "
        f"or write another port into .env: AIRFLOW_PORT={taken + 1}"
    )
    assert "This machine is not ready: 8 problems, and nothing was changed." in done.stderr
    assert not (project.folder / ".env").exists()


def test_one_port_cannot_serve_two(project: Project) -> None:
    """The same port for Airflow and PostgreSQL is refused."""
    done = project.run("setup/preflight.sh", **FREE | {"POSTGRES_PORT": "18980"})

    assert "POSTGRES_PORT: the same as AIRFLOW_PORT (18980)" in done.stderr


@pytest.mark.integration
def test_networks_may_not_overlap(project: Project, network: str) -> None:
    """Another project's network inside our subnet is named, with a free subnet beside it."""
    done = project.run("setup/preflight.sh", **FREE)

    assert done.returncode == 2
    assert f"ETL_SUBNET: 198.18.77.0/24 overlaps with 198.18.77.64/28, the Docker network {network}." in done.stderr
    assert "Write a free one into .env: ETL_SUBNET=10." in done.stderr


@pytest.mark.integration
def test_a_subnet_that_nobody_chose_is_chosen(project: Project, network: str) -> None:
    """Where the usual addresses are taken, others are used, and recorded; no person has to think of it."""
    assert network
    project.replace("setup/settings.sh", "ETL_SUBNET 10.213.16", "ETL_SUBNET 198.18.77")
    project.replace("setup/prepare.sh", 'main "$@"', "")

    checked = project.run("setup/preflight.sh", **{name: FREE[name] for name in FREE if name != "ETL_SUBNET"})
    settled = project.run("bash", "-c", ". setup/prepare.sh; make_env; settle_subnet")

    assert checked.returncode == 0, checked.stderr
    assert settled.returncode == 0, settled.stderr
    chosen = project.recorded()["ETL_SUBNET"]
    assert f"subnet {chosen}.0/24" in checked.stdout
    assert chosen != "198.18.77"


@pytest.mark.integration
def test_what_a_killed_engine_left_is_no_problem(project: Project) -> None:
    """Its bridges stay in the kernel without it, and belong to the next engine."""
    (project.folder / "left.py").write_text(LEFT_BRIDGE)
    script = "python left.py && cat /proc/net/route >&2 && exec setup/preflight.sh"
    chosen = [f"--env={name}={value}" for name, value in FREE.items()]
    mount = f"--mount=type=bind,source={project.folder},target=/project"
    run = ("docker", "run", "--rm", "--cap-add=NET_ADMIN", mount, "--workdir=/project", *chosen, base_image())

    done = project.run(*run, "bash", "-c", script)

    assert "br-0123456789ab\t004D12C6" in done.stderr
    assert "overlaps" not in done.stderr


@pytest.mark.integration
def test_our_own_network_is_no_problem(project: Project, network: str) -> None:
    """A second `make up` does not trip over what the first one made."""
    assert network

    done = project.run("setup/preflight.sh", **FREE | {"COMPOSE_PROJECT_NAME": "other"})

    assert done.returncode == 0, done.stderr
