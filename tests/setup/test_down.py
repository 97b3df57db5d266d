"""What `make down`, `make destroy` and `make password` touch, and what they leave."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.setup.project import Project, base_image, docker

pytestmark = pytest.mark.integration

COMPOSE = """
name: ${COMPOSE_PROJECT_NAME:-etl}
services:
  server:
    image: "${PYTHON_IMAGE}"
    command: [sleep, infinity]
    init: true
    volumes: ["runs:/runs", "secrets:/secrets"]
    networks: [data]
networks: {data: {}}
volumes: {runs: {}, secrets: {}}
"""
SECRETS = """
mkdir -m 500 /secrets/airflow /secrets/analyst
printf for-airflow >/secrets/airflow/admin_password
printf for-analyst >/secrets/analyst/password
chmod 400 /secrets/*/*
chown -R 50000:50000 /secrets/airflow
chown -R 999:999 /secrets/analyst
"""


@pytest.fixture
def stack(project: Project) -> Iterator[str]:
    """Have a small stack, with a stage that Compose does not know on its volume and its network; give its name."""
    name = f"etl-down-{uuid4().hex[:8]}"
    (project.folder / "docker-compose.yml").write_text(COMPOSE)
    project.variables |= {"COMPOSE_PROJECT_NAME": name, "PYTHON_IMAGE": base_image(), "ETL_TAG": name}
    up = project.run("docker", "compose", "up", "--detach")
    assert up.returncode == 0, up.stderr
    docker("tag", base_image(), f"etl-platform/load:{name}")
    options = ("--init", "--volume", f"{name}_runs:/runs", "--network", f"{name}_data", "--name", f"{name}-stage")
    # An image that Compose built hands its project's label down to the containers that the scheduler starts.
    labels = ("--label", "etl.run_id=manual", "--label", f"com.docker.compose.project={name}")
    docker("run", "--detach", *options, *labels, base_image(), "sleep", "infinity")
    yield name
    done = project.run("setup/down.sh", "--data", "--images")
    assert done.returncode == 0, done.stderr


def left(name: str) -> dict[str, list[str]]:
    """Give what the Engine still has of a stack."""
    return {
        "containers": docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}").split(),
        "networks": docker("network", "ls", "--filter", f"name={name}", "--format", "{{.Name}}").split(),
        "volumes": sorted(docker("volume", "ls", "--filter", f"name={name}", "--format", "{{.Name}}").split()),
        "images": docker("image", "ls", "--filter", f"reference=*/*:{name}", "--format", "{{.Repository}}").split(),
    }


def test_down_keeps_the_data(project: Project, stack: str) -> None:
    """Containers and networks go, those of stages too; volumes and images stay."""
    done = project.run("setup/down.sh")

    assert done.returncode == 0, done.stderr
    assert left(stack) == {
        "containers": [],
        "networks": [],
        "volumes": [f"{stack}_runs", f"{stack}_secrets"],
        "images": ["etl-platform/load"],
    }


def test_destroy_asks_first(project: Project, stack: str) -> None:
    """Without the project's name as the answer, everything stays."""
    before = left(stack)

    done = project.run("setup/destroy.sh", stdin="yes\n")

    assert done.returncode == 2
    assert "This deletes the warehouse" in done.stdout
    assert "nothing was removed" in done.stderr
    assert left(stack) == before


@pytest.mark.parametrize(("stdin", "variables"), [("{name}\n", {}), ("", {"FORCE": "1"})])
def test_destroy_leaves_nothing(project: Project, stack: str, stdin: str, variables: dict[str, str]) -> None:
    """With the answer, or with FORCE=1, nothing of this installation is left, and the base image is."""
    done = project.run("setup/destroy.sh", stdin=stdin.format(name=stack), **variables)

    assert done.returncode == 0, done.stderr
    assert left(stack) == {"containers": [], "networks": [], "volumes": [], "images": []}
    assert docker("image", "inspect", "--format", "ok", base_image()) == "ok"


def test_passwords_are_read_from_the_secrets_volume(project: Project, stack: str) -> None:
    """A person gets two passwords, whether the stack runs or not, and no file is opened to others for that."""
    docker("run", "--rm", "--volume", f"{stack}_secrets:/secrets", base_image(), "sh", "-c", SECRETS)
    docker("tag", base_image(), f"etl-platform/secrets:{stack}")
    project.run("setup/down.sh")

    done = project.run("setup/password.sh")

    assert done.stdout == "Airflow    admin    for-airflow\nWarehouse  analyst  for-analyst\n"


def test_without_secrets_the_way_to_get_them_is_told(project: Project) -> None:
    """Before the first start there are no passwords."""
    done = project.run("setup/password.sh", COMPOSE_PROJECT_NAME="etl-never")

    assert done.returncode == 2
    assert "there are no passwords yet" in done.stderr
    assert "make up" in done.stderr


def test_no_engine_means_nothing_to_stop(project: Project) -> None:
    """`make down` on a machine whose engine is off is no error."""
    done = project.run("setup/down.sh", DOCKER_HOST="tcp://127.0.0.1:1")

    assert done.returncode == 0
    assert "nothing runs" in done.stdout
