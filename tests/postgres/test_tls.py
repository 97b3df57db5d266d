"""What goes to PostgreSQL goes by TLS, and whoever connects makes sure that it is ours."""

import re

import pytest

from tests.postgres.server import CommandError, Server, docker

pytestmark = pytest.mark.integration

# The URI that each consumer reads, who that is, from where it comes, and where it mounts its folder.
CONSUMERS = [
    ("source_owner/uri", "10001", "data", "/run/secrets"),
    ("connections/source/uri", "10001", "data", "/run/secrets/connections/source"),
    ("connections/warehouse/uri", "10001", "egress", "/run/secrets/connections/warehouse"),
    ("stages/load/uri", "10001", "data", "/run/secrets/warehouse"),
    ("stages/visualize/uri", "10001", "data", "/run/secrets/warehouse"),
    ("airflow/database_url", "50000", "control", "/run/secrets"),
    ("airflow/database_url_async", "50000", "control", "/run/secrets"),
    ("airflow/recorder_uri", "50000", "control", "/run/secrets"),
]


def ask(server: Server, path: str, user: str, network: str, place: str, *, at: str = "postgres") -> str:  # noqa: PLR0913
    """Open a URI as its consumer does: with its own folder of the secrets, and nothing else."""
    folder, _, file = path.rpartition("/")
    script = f'psql "$(sed \'s/+psycopg2\\?:/:/; s/@postgres:/@{at}:/\' {place}/{file})" -XAtc "$QUERY"'
    query = (
        "select concat_ws(' ', current_user, current_database(), version) from pg_stat_ssl where pid = pg_backend_pid()"
    )
    return server.run(
        "--rm", "--user", f"{user}:{user}", "--network", server.prefix + network, "--read-only",
        "--mount", server.secret(folder, place), "--env", f"QUERY={query}",
        "--entrypoint", "bash", server.image, "-c", script,
    )  # fmt: skip


@pytest.mark.parametrize(("path", "user", "network", "place"), CONSUMERS)
def test_every_uri_opens_its_database(server: Server, path: str, user: str, network: str, place: str) -> None:
    """A URI that the secrets service wrote opens the database that it names, as it stands, by TLS 1.3."""
    found = re.match(r"[\w+]+://(\w+):[^@]+@postgres:5432/(\w+)\?sslmode=verify-full&", server.secrets[path])
    assert found is not None

    assert ask(server, path, user, network, place) == f"{found[1]} {found[2]} TLSv1.3"


@pytest.mark.parametrize(("path", "user", "network", "place"), CONSUMERS)
def test_a_server_by_another_name_gets_no_password(
    server: Server, path: str, user: str, network: str, place: str
) -> None:
    """The name in the certificate must be the one that was called."""
    with pytest.raises(CommandError, match="does not match host name"):
        ask(server, path, user, network, place, at=server.name)


def test_a_server_of_another_authority_gets_no_password(server: Server) -> None:
    """Whoever takes the server's name, with a certificate that he made, is found out before the password is sent."""
    name = f"{server.prefix}impostor"
    script = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=postgres"
        " -addext subjectAltName=DNS:postgres -keyout /tmp/k -out /tmp/c 2>/dev/null && initdb -D /tmp/d >/dev/null"
        " && chmod 600 /tmp/k && exec postgres -D /tmp/d -k /tmp -c listen_addresses='*'"
        " -c ssl=on -c ssl_cert_file=/tmp/c -c ssl_key_file=/tmp/k -c log_connections=on"
    )
    server.make("network", "elsewhere", "--internal", "--subnet", f"{server.subnet}.160/28")
    server.run("-d", "--name", name, "--user", "999:999", "--network", f"{server.prefix}elsewhere",
               "--network-alias", "postgres", "--entrypoint", "bash", server.image, "-c", script)  # fmt: skip
    try:
        while "ready to accept connections" not in docker("logs", name, errors=True):
            assert docker("inspect", "-f", "{{.State.Running}}", name) == "true", docker("logs", name, errors=True)

        with pytest.raises(CommandError, match="certificate verify failed"):
            ask(server, "stages/load/uri", "10001", "elsewhere", "/run/secrets/warehouse")
        assert "connection authorized" not in docker("logs", name, errors=True)
    finally:
        docker("rm", "-fv", name)
        docker("network", "rm", f"{server.prefix}elsewhere")


@pytest.mark.parametrize(
    ("role", "database", "network"),
    [
        ("airflow", "airflow", "control"),
        ("source_owner", "source", "data"),
        ("extract", "warehouse", "data"),
        ("extract", "source", "egress"),
        ("load", "warehouse", "data"),
        ("load", "warehouse", "egress"),
        ("recorder", "warehouse", "control"),
        ("report", "warehouse", "data"),
        ("analyst", "warehouse", "edge"),
    ],
)
def test_nobody_enters_without_tls(server: Server, role: str, database: str, network: str) -> None:
    """With the right password, from the right network: in clear, or by an older TLS, nobody comes in."""
    environment = {"PGUSER": role, "PGDATABASE": database, "PGPASSWORD": server.password(role)}
    with pytest.raises(CommandError, match=r"no pg_hba\.conf entry for host .* no encryption"):
        server.psql(network, ["psql", "-c", "select 1"], environment | {"PGSSLMODE": "disable"})
    older = {"PGSSLMODE": "require", "PGSSLMINPROTOCOLVERSION": "TLSv1", "PGSSLMAXPROTOCOLVERSION": "TLSv1.2"}
    with pytest.raises(CommandError, match=r"SSL error|protocol version"):
        server.psql(network, ["psql", "-c", "select 1"], environment | older)


def test_people_can_make_sure_too(server: Server) -> None:
    """On the Engine's machine, the published port is ours by both of its names."""
    port = docker("port", server.name, "5432/tcp").splitlines()[0].rpartition(":")[2]
    for host in ("localhost", "127.0.0.1"):
        said = server.run(
            "--rm", "--user", "999:999", "--network", "host", "--env", f"PGPASSWORD={server.password('analyst')}",
            "--mount", server.secret("analyst"), "--entrypoint", "psql", server.image, "-XAtc", "select 1",
            f"host={host} port={port} user=analyst dbname=warehouse"
            " sslmode=verify-full sslrootcert=/run/secrets/ca.pem",
        )  # fmt: skip
        assert said == "1"


def test_the_key_of_the_authority_is_with_nobody(server: Server) -> None:
    """Of the authority, every consumer has the certificate; its key stands in its own place alone, and is nobody's."""
    key = "".join(server.secrets["authority/pair.pem"].partition("-----END PRIVATE KEY-----")[0].split()[3:])
    holders = [path for path, text in server.secrets.items() if key in "".join(text.split())]
    owner = server.run("--rm", "-v", f"{server.prefix}secrets:/secrets:ro", "--entrypoint", "stat", server.image,
                       "-c", "%u %a", "/secrets/authority", "/secrets/authority/pair.pem")  # fmt: skip

    assert len(key) > 100
    assert holders == ["authority/pair.pem"]
    assert owner.splitlines() == ["0 500", "0 400"]


def test_a_new_certificate_is_taken_up_while_somebody_works(server: Server) -> None:
    """After a rotation the next connection meets the new certificate, believes it, and no session is lost."""
    before = server.sql("select pg_postmaster_start_time()")
    pair = server.secrets["postgres_server/pair.pem"]
    begun = "begin; select 1;\n\\! sleep 4\nselect ssl from pg_stat_ssl where pid = pg_backend_pid(); commit;"
    name = f"{server.prefix}client-data"
    environment = {
        "PGUSER": "load",
        "PGDATABASE": "warehouse",
        "PGPASSWORD": server.password("load"),
        "PGHOST": "postgres",
    }
    docker("exec", "-d", *[f"--env={key}={value}" for key, value in environment.items()],
           name, "bash", "-c", f"psql -XAtq <<<$'{begun}' >/tmp/worked 2>&1; echo done >>/tmp/worked")  # fmt: skip
    for what in ("tls", "authority"):
        server.init_secrets("rotate", what)
        server.apply()
        assert ask(server, *CONSUMERS[3]) == "load warehouse TLSv1.3"
    server.init_secrets("forget", "authority")

    assert server.secrets["postgres_server/pair.pem"] != pair
    assert server.secrets["stages/load/ca.pem"].count("BEGIN CERTIFICATE") == 1
    for consumer in CONSUMERS:
        assert ask(server, *consumer)
    while "done" not in docker("exec", name, "cat", "/tmp/worked"):  # noqa: S108 - the client's
        pass
    assert docker("exec", name, "cat", "/tmp/worked").split() == ["1", "t", "done"]  # noqa: S108
    assert server.sql("select pg_postmaster_start_time()") == before
