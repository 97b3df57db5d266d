"""What postgres-roles does when it is run again."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests._stack import until
from tests.postgres.server import CommandError, Server, docker, docker_logs

pytestmark = pytest.mark.integration

# What a load holds while it waits for a table that somebody else has locked.
LOAD = """
begin;
lock table etl.loads, etl.watermarks, etl.files, etl.checks, quarantine.rows, etl.stage_runs in row exclusive mode;
select pg_sleep(600);
"""
CONTENTS = """
pg_dumpall --globals-only
for database in airflow source warehouse; do pg_dump --create --schema-only "$database"; done
"""


def contents(server: Server) -> str:
    """Return all roles, databases, schemas, grants and verifiers, as text that can be compared."""
    said = docker("exec", "--env", "PGUSER=postgres", server.name, "bash", "-ceu", CONTENTS)
    return re.sub(r"^\\(un)?restrict .*$", "", said, flags=re.MULTILINE)


@pytest.fixture
def restored(server: Server) -> Iterator[None]:
    """Bring the server's roles and secrets back afterwards."""
    yield
    server.init_secrets()
    server.apply()


def test_applied_twice_changes_nothing(server: Server) -> None:
    """Roles, databases, schemas, grants and verifiers are the same after another run."""
    before = contents(server)
    said = server.apply()

    assert said == "PostgreSQL has its roles, databases, schemas and grants."
    assert contents(server) == before
    assert "CREATE TABLE etl.loads" in before


def test_what_an_older_installation_lacks_is_made(server: Server) -> None:
    """Columns of the ledger, and indexes."""
    columns = "select attname from pg_attribute where attrelid = 'etl.loads'::regclass and not attisdropped order by 1"
    indexes = "select indexname from pg_indexes where schemaname in ('etl', 'quarantine') order by 1"
    before = server.sql(f"{columns}; {indexes}", database="warehouse")
    server.sql("alter table etl.loads drop column table_id, drop column rows_quarantined", database="warehouse")
    server.sql(
        "drop index etl.loads_target_table_loaded_at_idx, quarantine.rows_pipeline_interval_idx", database="warehouse"
    )
    try:
        assert server.sql(f"{columns}; {indexes}", database="warehouse") != before
        server.apply()

        assert server.sql(f"{columns}; {indexes}", database="warehouse") == before
    finally:
        server.sql("drop table etl.loads", database="warehouse")  # made anew, with its columns in order
        server.apply()


def test_a_load_that_is_under_way_is_not_waited_for(server: Server) -> None:
    """Nor do other loads wait behind: a secret is rotated, and the platform updated, while they work."""
    asleep = "from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"
    psql = ["psql", "-X", "--quiet", "--username=postgres", "--command", LOAD, "warehouse"]
    with subprocess.Popen(["docker", "exec", server.name, *psql], stderr=subprocess.DEVNULL):
        try:
            until(lambda: server.sql(f"select count(*) {asleep}") == "1", 30)
            server.apply()

            assert server.sql(f"select count(*) {asleep}") == "1"
        finally:
            server.sql(f"select pg_terminate_backend(pid) {asleep}")


@pytest.mark.usefixtures("restored")
def test_what_was_given_in_between_is_taken_back(server: Server) -> None:
    """A role that was raised by hand is what it was after the next start."""
    before = contents(server)
    server.sql("alter role report superuser createrole connection limit -1; grant load, pg_read_all_data to analyst")
    server.sql("alter role extract set default_transaction_read_only = off; alter role load password null")
    server.sql("grant connect on database airflow to public")
    assert contents(server) != before

    server.apply()

    assert contents(server) == before


@pytest.mark.usefixtures("restored")
def test_a_new_password_is_taken_over(server: Server) -> None:
    """A password that was generated anew lets its role in after the next start, and the old one does not."""
    old = server.password("report")
    server.run("--rm", "-v", f"{server.prefix}secrets:/secrets", "--entrypoint", "rm", server.image,
               "/secrets/stages/visualize/uri")  # fmt: skip
    server.init_secrets()
    assert server.password("report") != old
    with pytest.raises(CommandError, match="password authentication failed"):
        server.sql("select 1", "report")

    server.apply()

    assert server.sql("select 1", "report") == "1"
    with pytest.raises(CommandError, match="password authentication failed"):
        server.psql("data", ["psql"], {"PGUSER": "report", "PGDATABASE": "warehouse", "PGPASSWORD": old})


@pytest.mark.usefixtures("restored")
def test_missing_and_false_verifiers_are_refused(server: Server) -> None:
    """A verifier that is missing, and a text that is none, stop the run before it changes anything."""
    before = contents(server)
    server.run("--rm", "-v", f"{server.prefix}secrets:/secrets", "--entrypoint", "bash", server.image, "-c",
               "rm /secrets/postgres/load.scram; printf changeme >/secrets/postgres/report.scram")  # fmt: skip

    with pytest.raises(CommandError) as caught:
        server.apply()

    assert "/run/secrets/load.scram is not there" in str(caught.value)
    assert "/run/secrets/report.scram is no SCRAM-SHA-256 verifier; delete it" in str(caught.value)
    assert "changeme" not in str(caught.value)
    assert contents(server) == before
    server.run("--rm", "-v", f"{server.prefix}secrets:/secrets", "--entrypoint", "rm", server.image,
               "/secrets/postgres/report.scram")  # fmt: skip


@pytest.mark.usefixtures("restored")
def test_no_secret_shows_anywhere(server: Server) -> None:
    """No password and no verifier is in PostgreSQL's log, environment or arguments, nor in docker inspect."""
    server.sql("alter system set log_statement = 'all'; alter system set log_min_duration_statement = 0")
    server.sql("select pg_reload_conf()")
    server.sql("alter role airflow password null; alter role load password null")
    server.apply()
    server.sql("alter system reset all")
    server.sql("select pg_reload_conf()")
    seen = (
        docker_logs(server.name)
        + docker("inspect", server.name)
        + docker("exec", server.name, "bash", "-c", "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'")
    )

    assert [path for path, text in server.secrets.items() if text in seen] == []
    assert [role for role in ("airflow", "load", "report") if server.password(role) in seen] == []
    assert "SCRAM-SHA-256$" not in seen
