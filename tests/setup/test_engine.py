"""What happens where no Docker Engine answers, tried in containers that have none."""

import subprocess

import pytest

from tests.setup.project import ROOT, Project, base_image

UBUNTU = 'NAME=Ubuntu\nPRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nVERSION_ID="24.04"\n'
OLD = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nID=debian\nVERSION_ID="11"\n'


def on_a_bare_machine(command: str, *options: str) -> str:
    """Run a command in a fresh Debian container; give all that it says."""
    done = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--volume",
            f"{ROOT}/setup:/project/setup:ro",
            *options,
            base_image(),
            "bash",
            "-c",
            command,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def test_an_engine_that_answers_is_used_as_it_is(project: Project) -> None:
    """Nothing is installed or started beside a running engine."""
    done = project.run("setup/engine.sh", "--dry-run")

    assert done.returncode == 0
    assert "answers, and is used as it is" in done.stdout
    assert "would run" not in done.stdout


def test_an_engine_elsewhere_is_not_replaced(project: Project) -> None:
    """If docker is told to use an engine that is down, that is said; none is installed here."""
    done = project.run("setup/engine.sh", DOCKER_HOST="tcp://127.0.0.1:1")

    assert done.returncode == 2
    assert "docker is told to use 'tcp://127.0.0.1:1', and nothing answers there" in done.stderr
    assert "unset DOCKER_HOST" in done.stderr


@pytest.mark.integration
def test_debian_13_gets_its_own_packages() -> None:
    """On Debian 13 the plan is to install Debian's packages from its own sources, and to start the daemon."""
    plan = on_a_bare_machine("apt-get update -qq && /project/setup/engine.sh --dry-run")

    assert (
        "apt-get install -y --no-install-recommends docker.io docker-cli docker-compose docker-buildx iptables" in plan
    )
    assert "-t trixie" not in plan
    assert "would run: sh -c exec setsid /usr/sbin/dockerd" in plan


@pytest.mark.integration
def test_debian_without_a_new_docker_gets_that_of_13() -> None:
    """Where apt knows no recent Docker, Debian 13 is added below everything else."""
    plan = on_a_bare_machine("/project/setup/engine.sh --dry-run")

    assert "Suites: trixie" in plan
    assert "Pin-Priority: 100" in plan
    assert "apt-get install -y --no-install-recommends -t trixie docker.io" in plan


@pytest.mark.integration
@pytest.mark.parametrize(("release", "name"), [(UBUNTU, "Ubuntu 24.04 LTS"), (OLD, "Debian GNU/Linux 11 (bullseye)")])
def test_other_systems_are_told_where_to_get_docker(release: str, name: str) -> None:
    """On a system that we do not install on, nothing is tried."""
    said = on_a_bare_machine(f"echo '{release}' >/etc/os-release; /project/setup/engine.sh")

    assert f"engine: there is none, and on {name} this project does not install one." in said
    assert "https://docs.docker.com/engine/install/" in said


@pytest.mark.integration
def test_who_cannot_become_root_is_told() -> None:
    """A user without sudo learns that root must run it."""
    said = on_a_bare_machine("/project/setup/engine.sh", "--user", "10001:10001")

    assert "is not root and has no sudo to install one. Run as root: make up" in said
