"""Who may enter PostgreSQL, from which network, through which port."""

import pytest

from tests.postgres.server import NETWORKS, CommandError, Server, docker

pytestmark = pytest.mark.integration

ROLES = ("airflow", "source_owner", "extract", "load", "recorder", "report", "analyst")
DATABASES = ("airflow", "source", "warehouse", "postgres", "template1")

# Nothing else is let in.
ENTRANCES = {
    ("control", "airflow", "airflow"),
    ("control", "recorder", "warehouse"),
    ("data", "source_owner", "source"),
    ("data", "extract", "source"),
    ("data", "extract", "warehouse"),
    ("data", "load", "warehouse"),
    ("data", "report", "warehouse"),
    ("egress", "extract", "source"),
    ("egress", "extract", "warehouse"),
    ("egress", "load", "warehouse"),
    ("edge", "analyst", "warehouse"),
}
KNOCK = """
for role in airflow source_owner extract load recorder report analyst postgres; do
  for database in airflow source warehouse postgres template1; do
    secret=password_$role
    said=$(PGPASSWORD=${!secret} psql -XAtqc 'select 1' -U $role -d $database 2>&1 | tr '\\n' ' ')
    echo "$role|$database|$said"
  done
done
"""


@pytest.mark.parametrize("network", NETWORKS)
def test_every_combination_that_is_not_listed_is_refused(server: Server, network: str) -> None:
    """With the right password, each role enters its own databases from its own network; postgres none."""
    passwords = {f"password_{role}": server.password(role) for role in ROLES} | {"password_postgres": "postgres"}
    answers = [line.split("|") for line in server.psql(network, ["bash", "-c", KNOCK], passwords).splitlines()]

    assert len(answers) == (len(ROLES) + 1) * len(DATABASES)
    assert {(network, role, database) for role, database, said in answers if said.strip() == "1"} == {
        entrance for entrance in ENTRANCES if entrance[0] == network
    }
    refusals = {said for *_, said in answers if said.strip() != "1"}
    assert [said for said in refusals if "no pg_hba.conf entry for host" not in said] == []


@pytest.mark.parametrize("role", ROLES)
def test_wrong_password_is_refused(server: Server, role: str) -> None:
    """A wrong password, and none, are refused."""
    network, _, database = next(entrance for entrance in ENTRANCES if entrance[1] == role)
    for password in ("wrong", "", server.secrets[f"postgres/{role}.scram"]):
        with pytest.raises(CommandError, match=r"password authentication failed|no password supplied"):
            server.psql(
                network, ["psql", "-c", "select 1"], {"PGUSER": role, "PGDATABASE": database, "PGPASSWORD": password}
            )


def test_people_enter_through_the_published_port(server: Server) -> None:
    """On the Engine's machine, 127.0.0.1 lets analyst in, with the password, and nobody else."""
    port = docker("port", server.name, "5432/tcp").splitlines()[0].rpartition(":")[2]

    def knock(role: str) -> str:
        return server.run(
            "--rm", "--network", "host", "--env", f"PGPASSWORD={server.password(role)}", "--entrypoint", "psql",
            server.image, "-XAtc", "select current_user", "-h", "127.0.0.1", "-p", port, "-U", role, "-d", "warehouse",
        )  # fmt: skip

    assert knock("analyst") == "analyst"
    for role in ("load", "report", "extract"):
        with pytest.raises(CommandError, match=r"no pg_hba\.conf entry for host"):
            knock(role)


def test_operators_need_no_password_inside(server: Server) -> None:
    """Inside the container, psql opens the warehouse as analyst."""
    said = docker("exec", server.name, "psql", "-XAtc", "select current_user", "-U", "analyst", "warehouse")

    assert said == "analyst"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "analyst"])
def test_operators_are_postgres_or_analyst_only(server: Server, role: str) -> None:
    """Inside the container, no other role can be taken on without its password."""
    with pytest.raises(CommandError, match=r"no pg_hba\.conf entry for host"):
        docker("exec", server.name, "psql", "-c", "select 1", "-U", role, "warehouse")


def test_root_inside_is_not_the_superuser(server: Server) -> None:
    """Another user of the system is not let in as postgres."""
    with pytest.raises(CommandError, match=r"Peer authentication failed|Permission denied"):
        docker("exec", "--user", "65534", server.name, "psql", "-c", "select 1", "-U", "postgres", "postgres")


def test_the_superuser_has_no_password(server: Server) -> None:
    """There is no password by which anybody could become postgres, and every other role has a verifier."""
    found = server.sql("select rolname, left(rolpassword, 13) from pg_authid where rolcanlogin order by rolname")

    assert found.splitlines() == sorted([*(f"{role}|SCRAM-SHA-256" for role in ROLES), "postgres|"])
