"""How people rotate secrets, set their own, and keep connections, while nothing runs."""

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl_secrets._change import OWN, ROTATED
from tests._engine import docker, image, subnet
from tests.docs.pages import OPERATIONS, section
from tests.setup.project import ROOT, Project

pytestmark = pytest.mark.integration


@pytest.fixture
def vault(project: Project) -> Iterator[str]:
    """Have secrets as the service `secrets` leaves them, and give the volume's name."""
    name = f"secret-{uuid.uuid4().hex[:8]}"
    tag = os.environ.get("ETL_TAG", "local")
    project.variables.update(COMPOSE_PROJECT_NAME=name, ETL_TAG=tag, ETL_SUBNET=subnet(33))
    shutil.copy(ROOT / "docker-compose.yml", project.folder)
    started = project.run("docker", "compose", "run", "--rm", "--no-deps", "--no-TTY", "secrets", "init")
    try:
        assert started.returncode == 0, started.stderr
        yield f"{name}_secrets"
    finally:
        project.run("docker", "compose", "down", "--volumes", "--timeout", "1")


def _read(volume: str, path: str) -> str:
    return docker("run", "--rm", "--user", "0", "--volume", f"{volume}:/secrets:ro", "--entrypoint", "cat",
                  image("secrets"), f"/secrets/{path}")  # fmt: skip


def test_a_secret_is_rotated_and_never_shown(project: Project, vault: str) -> None:
    """Its files are named, what is in them is not; without a running platform the next start takes it up."""
    before = _read(vault, "stages/load/uri")

    done = project.run("setup/rotate.sh", "load")

    after = _read(vault, "stages/load/uri")
    assert done.returncode == 0, done.stderr
    assert before != after
    assert "replaced stages/load/uri" in done.stdout
    assert "the platform is not running: it is taken up at the next start" in done.stdout
    assert after.split(":")[2].split("@")[0] not in done.stdout + done.stderr


def test_the_commands_know_what_the_service_can_change(project: Project, vault: str) -> None:
    """No secret is forgotten, such as that of a role that came later."""
    listed = project.run("bash", "-c", '. setup/secrets.sh && echo "$own_secrets"').stdout.split()
    rotated = project.run("setup/rotate.sh", "recorder")
    own = project.run("setup/secret.sh", "recorder", stdin="mine-of-2026")

    assert listed == list(OWN)
    assert (rotated.returncode, own.returncode) == (0, 0), rotated.stderr + own.stderr
    assert "replaced airflow/recorder_uri" in rotated.stdout
    assert "recorder:mine-of-2026@" in _read(vault, "airflow/recorder_uri")


def test_what_can_be_changed_is_told(project: Project) -> None:
    """By the page, and by each command's help."""
    told = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section(OPERATIONS, "Passwords"), re.MULTILINE)

    assert sorted(re.findall(r"\w+", ",".join(told))) == sorted(["SECRET", *ROTATED])
    for command, names in (("setup/rotate.sh", ROTATED), ("setup/secret.sh", OWN)):
        said = project.run(command, "--help").stdout
        assert [name for name in names if not re.search(rf"\b{name}\b", said)] == []


def test_a_value_comes_from_a_file_or_a_pipe(project: Project, vault: str, tmp_path: Path) -> None:
    """It is kept without the line's end; one that would not do is told, and changes nothing."""
    file = tmp_path / "password.txt"
    file.write_text("from-a-file-2026\n")

    by_file = project.run("setup/secret.sh", "analyst", str(file))
    assert (by_file.returncode, _read(vault, "analyst/password")) == (0, "from-a-file-2026"), by_file.stderr
    by_pipe = project.run("setup/secret.sh", "admin_password", stdin="from-a-pipe-2026\n")
    assert (by_pipe.returncode, _read(vault, "airflow/admin_password")) == (0, "from-a-pipe-2026"), by_pipe.stderr
    short = project.run("setup/secret.sh", "analyst", stdin="2short")
    assert short.returncode != 0
    assert "analyst: is shorter than 12 characters" in short.stdout + short.stderr
    assert _read(vault, "analyst/password") == "from-a-file-2026"
    assert "2026" not in by_file.stdout + by_file.stderr + by_pipe.stdout + by_pipe.stderr


def test_a_connection_is_kept_and_listed(project: Project, vault: str) -> None:
    """Its URI and its token arrive where the stages find them; the list has names alone."""
    uri = project.run("setup/connection.sh", "shop", stdin="https://api.example.org\n")
    token = project.run("setup/connection.sh", "shop", "token", stdin="t0ken\n")
    listed = project.run("setup/connection.sh")

    assert (uri.returncode, token.returncode) == (0, 0), uri.stderr + token.stderr
    assert _read(vault, "connections/shop/uri") == "https://api.example.org"
    assert _read(vault, "connections/shop/token") == "t0ken"
    assert listed.stdout.splitlines() == ["shop: token, uri", "source: ca.pem, uri", "warehouse: ca.pem, uri"]
    assert "t0ken" not in token.stdout + token.stderr + listed.stdout


def test_a_connection_is_deleted(project: Project, vault: str) -> None:
    """One field of it, then all of it; the platform's own stay, and a name is needed."""
    for field, text in (("uri", "https://api.example.org"), ("token", "t0ken")):
        assert project.run("setup/connection.sh", "shop", field, stdin=text).returncode == 0

    token = project.run("setup/connection.sh", "shop", "token", DELETE="1")
    left = project.run("setup/connection.sh").stdout.splitlines()
    whole = project.run("setup/connection.sh", "shop", DELETE="1")
    own = project.run("setup/connection.sh", "source", DELETE="1")
    nameless = project.run("setup/connection.sh", DELETE="1")

    assert (token.returncode, token.stdout.strip()) == (0, "connection shop has lost its token"), token.stderr
    assert left == ["shop: uri", "source: ca.pem, uri", "warehouse: ca.pem, uri"]
    assert (whole.returncode, whole.stdout.strip()) == (0, "connection shop has lost its uri"), whole.stderr
    assert own.returncode != 0
    assert "source: is the platform's own connection, which stays" in own.stdout + own.stderr
    assert "no connection is named" in nameless.stderr
    assert project.run("setup/connection.sh").stdout.splitlines() == left[1:]


def test_a_channels_address_is_kept_where_the_notifier_finds_it(project: Project, vault: str, tmp_path: Path) -> None:
    """From a file or a pipe; what is said has the name alone."""
    file = tmp_path / "address.txt"
    file.write_text("mailtos://user:a-passw0rd@smtp.example.org?to=team@example.org\n")

    by_file = project.run("setup/secret.sh", "alerts/mail", str(file))
    by_pipe = project.run("setup/secret.sh", "alerts/team", stdin="jsons://hooks.example.org/a-passw0rd\n")

    assert (by_file.returncode, _read(vault, "alerts/mail")) == (0, file.read_text().strip()), by_file.stderr
    assert (by_pipe.returncode, _read(vault, "alerts/team")) == (0, "jsons://hooks.example.org/a-passw0rd"), (
        by_pipe.stderr
    )
    assert "a-passw0rd" not in by_file.stdout + by_file.stderr + by_pipe.stdout + by_pipe.stderr


def test_where_events_of_lineage_go_is_kept_where_the_notifier_finds_it(project: Project, vault: str) -> None:
    """An address and a token; what is said has neither."""
    address = "https://user:a-passw0rd@marquez.example.org/api/v1/lineage"

    endpoint = project.run("setup/secret.sh", "lineage/endpoint", stdin=f"{address}\n")
    token = project.run("setup/secret.sh", "lineage/token", stdin="a-passw0rd")

    assert (endpoint.returncode, _read(vault, "lineage/endpoint")) == (0, address), endpoint.stderr
    assert (token.returncode, _read(vault, "lineage/token")) == (0, "a-passw0rd"), token.stderr
    assert "a-passw0rd" not in endpoint.stdout + endpoint.stderr + token.stdout + token.stderr


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["setup/rotate.sh"], "there is no secret '' to rotate"),
        (["setup/rotate.sh", "installation_id"], "there is no secret 'installation_id' to rotate"),
        (["setup/secret.sh", "tls"], "there is no secret 'tls' to set"),
        (["setup/secret.sh", "load", "nowhere.txt"], "there is no file 'nowhere.txt'"),
        (["setup/rotate.sh", "fernet_key"], "the platform is not running"),
        (["setup/secret.sh", "alerts/Mail"], "'Mail' is no name of a channel"),
        (["setup/secret.sh", "alerts/mail"], "alerts/mail: what was given is no address"),
        (["setup/alert-test.sh"], "the platform is not running"),
        (["setup/secret.sh", "lineage/other"], "'other' is nothing that lineage has"),
        (["setup/secret.sh", "lineage/endpoint"], "lineage/endpoint: what was given is no address"),
        (["setup/lineage.sh"], "the platform is not running"),
        (["setup/connection.sh", "Shop"], "'Shop' is no name of a connection"),
        (["setup/connection.sh", "shop"], "shop: nothing was given"),
    ],
)
@pytest.mark.usefixtures("vault")
def test_what_cannot_be_is_told(project: Project, command: list[str], problem: str) -> None:
    """A name that is none, a file that is not there, and nothing at all."""
    done = project.run(*command)

    assert done.returncode != 0
    assert problem in done.stdout + done.stderr


def test_before_the_first_start_there_is_nothing_to_change(project: Project) -> None:
    """Each of the three says what to do."""
    shutil.copy(ROOT / "docker-compose.yml", project.folder)
    project.variables["COMPOSE_PROJECT_NAME"] = f"secret-{uuid.uuid4().hex[:8]}"
    for command in (["setup/rotate.sh", "load"], ["setup/secret.sh", "load"], ["setup/connection.sh"]):
        done = project.run(*command)

        assert done.returncode != 0
        assert "there are no secrets yet" in done.stderr
