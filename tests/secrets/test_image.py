"""The secrets service as Compose runs it: root, with three capabilities and nothing else."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests._engine import OURS

pytestmark = pytest.mark.integration

IMAGE = f"etl-platform/secrets:{os.environ.get('ETL_TAG', 'local')}"
LABEL = f"etl-secretstest={OURS}"
VOLUMES = ("postgres_data", "postgres_socket", "runs", "inbox", "exports", "reports", "airflow_logs", "outbox")
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
type Run = Callable[..., subprocess.CompletedProcess[str]]


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the Docker command line."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a function that runs the service on volumes of its own."""
    names = {name: f"{OURS}-secrets-{name}" for name in ("secrets", *VOLUMES)}

    def run_service(*words: str, capabilities: tuple[str, ...] = CAPABILITIES) -> subprocess.CompletedProcess[str]:
        added = [word for capability in capabilities for word in ("--cap-add", capability)]
        mounts = [f"--volume={names[name]}:/volumes/{name}" for name in VOLUMES]
        return docker("run", "--rm", "--label", LABEL, "--network", "none", "--user", "0:0", "--read-only",
                      "--cap-drop", "ALL", *added, "--security-opt", "no-new-privileges", *mounts,
                      f"--volume={names['secrets']}:/secrets", *words)  # fmt: skip

    docker("volume", "rm", *names.values())
    try:
        for name in names.values():
            docker("volume", "create", "--label", LABEL, name)
        yield run_service
    finally:
        docker("volume", "rm", *names.values())


def listing(run: Run) -> list[str]:
    """Return mode, owner and path of all that is in the volumes."""
    done = run("--entrypoint", "find", IMAGE, "/secrets", "/volumes", "-mindepth", "1", "-printf", "%m %U:%G %p\\n")
    return sorted(done.stdout.splitlines(), key=lambda line: line.split()[2])


def test_three_capabilities_are_enough(run: Run) -> None:
    """With CHOWN, DAC_OVERRIDE and FOWNER everything gets its owner and mode, and a second run changes nothing."""
    first = run(IMAGE)
    before = listing(run)
    second = run(IMAGE)

    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("31 secrets: 31 created, 0 replaced, 0 kept; 8 owners or modes set right\n")
    assert second.stdout == "31 secrets: 0 created, 0 replaced, 31 kept; 0 owners or modes set right\n"
    assert listing(run) == before
    assert "400 50000:50000 /secrets/airflow/database_url" in before
    assert "400 999:999 /secrets/postgres/load.scram" in before
    assert "500 0:0 /secrets/authority" in before
    assert "400 0:0 /secrets/authority/pair.pem" in before
    assert "400 999:999 /secrets/postgres_server/pair.pem" in before
    assert "400 10001:10001 /secrets/stages/load/uri" in before
    assert "400 10002:10002 /secrets/installation/id" in before
    assert "500 10001:10001 /secrets/connections/warehouse" in before
    assert "755 999:999 /volumes/postgres_data" in before
    assert "755 50000:50000 /volumes/airflow_logs" in before


def test_owners_are_set_right_again(run: Run) -> None:
    """A file that was copied back by root is given to its owner again."""
    run(IMAGE)
    before = listing(run)
    run("--entrypoint", "chmod", IMAGE, "0644", "/secrets/airflow/fernet_key")
    run("--entrypoint", "chown", IMAGE, "0:0", "/secrets/airflow/fernet_key", "/secrets/airflow", "/volumes/runs")
    assert listing(run) != before

    run(IMAGE)

    assert listing(run) == before


@pytest.mark.parametrize("missing", CAPABILITIES)
def test_a_missing_capability_is_named(run: Run, missing: str) -> None:
    """Without one of its capabilities the service says which it needs, and leaves no half file."""
    run(IMAGE)
    run("--entrypoint", "rm", IMAGE, "/secrets/airflow/fernet_key")
    run("--entrypoint", "chown", IMAGE, "1:1", "/volumes/runs")
    run("--entrypoint", "chmod", IMAGE, "0600", "/secrets/airflow/jwt_secret")

    done = run(IMAGE, capabilities=tuple(name for name in CAPABILITIES if name != missing))

    assert done.returncode == 1
    assert "run this as root with the capabilities CHOWN, DAC_OVERRIDE and FOWNER" in done.stderr
    assert run(IMAGE).returncode == 0
    assert not [line for line in listing(run) if "unfinished" in line]


def test_no_secret_is_printed(run: Run) -> None:
    """Nothing that was generated is in what the service prints."""
    done = run(IMAGE)
    # awk adds the newline that a secret has not.
    values = run("--entrypoint", "find", IMAGE, "/secrets", "-type", "f", "-exec", "awk", "1", "{}", "+")

    # Of a certificate or key, each line.
    lines = [line for line in values.stdout.splitlines() if not line.startswith("-----")]
    assert len(lines) > 29
    assert [line for line in lines if line in done.stdout + done.stderr] == []
