"""Lists every secret: how it is generated, where it is written, for whom and in which form."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# The numeric users of the images.
ROOT: Final = 0
POSTGRES: Final = 999
STAGE: Final = 10001
GUARD: Final = 10002
AIRFLOW: Final = 50000

VERIFIER: Final = "a SCRAM-SHA-256 verifier"  # the one form of a value that cannot be read back
PAIR: Final = "a key and its certificate"
AUTHORITIES: Final = "the certificates of the authorities that are believed"

# How whoever connects to PostgreSQL makes sure that it is ours; a URI without this is one of an older version.
TLS: Final = "?sslmode=verify-full&sslrootcert=/run/secrets/"


def password() -> str:
    """Return 256 random bits in letters, digits, - and _: nothing that a URI would have to quote."""
    return secrets.token_urlsafe(32)


def signing_key() -> str:
    """Return 512 random bits, as HS512 wants."""
    return secrets.token_urlsafe(64)


def fernet_key() -> str:
    """Return 256 random bits in the padded base64 that Fernet insists on."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def installation_id() -> str:
    """Return a name for this installation: no secret, but nobody else's."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class File:
    """Says where a value is written; `form` has {} for the value, or is VERIFIER, PAIR or AUTHORITIES."""

    path: str
    owner: int
    value: str
    form: str


@dataclass(frozen=True)
class Volume:
    """Says to whom the root of a volume belongs."""

    name: str
    owner: int


VALUES: Final[dict[str, Callable[[], str]]] = {
    # Passwords of PostgreSQL's roles. The superuser has none: it enters through the unix socket, as user postgres.
    "airflow": password,
    "source_owner": password,
    "extract": password,
    "load": password,
    "recorder": password,
    "report": password,
    "analyst": password,
    # What Airflow's components share.
    "admin_password": password,
    "fernet_key": fernet_key,
    "jwt_secret": signing_key,
    "api_secret_key": signing_key,
    "installation_id": installation_id,
}

AUTHORITY: Final = "authority/pair.pem"
SERVER: Final = "postgres_server/pair.pem"

FILES: Final = (
    # path                                 owner     value             form
    # Its key signs the server's certificate, here and nowhere else.
    File(AUTHORITY,                        ROOT,     "authority",       PAIR),
    File("airflow/ca.pem",                 AIRFLOW,  "authority",       AUTHORITIES),
    File("analyst/ca.pem",                 POSTGRES, "authority",       AUTHORITIES),
    File("source_owner/ca.pem",            STAGE,    "authority",       AUTHORITIES),
    File("connections/source/ca.pem",      STAGE,    "authority",       AUTHORITIES),
    File("connections/warehouse/ca.pem",   STAGE,    "authority",       AUTHORITIES),
    File("stages/load/ca.pem",             STAGE,    "authority",       AUTHORITIES),
    File("stages/visualize/ca.pem",        STAGE,    "authority",       AUTHORITIES),
    File(SERVER,                           POSTGRES, "tls",             PAIR),
    File("postgres/airflow.scram",         POSTGRES, "airflow",         VERIFIER),
    File("postgres/source_owner.scram",    POSTGRES, "source_owner",    VERIFIER),
    File("postgres/extract.scram",         POSTGRES, "extract",         VERIFIER),
    File("postgres/load.scram",            POSTGRES, "load",            VERIFIER),
    File("postgres/recorder.scram",        POSTGRES, "recorder",        VERIFIER),
    File("postgres/report.scram",          POSTGRES, "report",          VERIFIER),
    File("postgres/analyst.scram",         POSTGRES, "analyst",         VERIFIER),
    File("analyst/password",               POSTGRES, "analyst",         "{}"),
    File("airflow/database_url",           AIRFLOW,  "airflow",         f"postgresql+psycopg2://airflow:{{}}@postgres:5432/airflow{TLS}ca.pem"),
    # The asynchronous driver that Airflow would take by itself does not know these words of libpq.
    File("airflow/database_url_async",     AIRFLOW,  "airflow",         f"postgresql+psycopg://airflow:{{}}@postgres:5432/airflow{TLS}ca.pem"),
    File("airflow/recorder_uri",           AIRFLOW,  "recorder",        f"postgresql://recorder:{{}}@postgres:5432/warehouse{TLS}ca.pem"),
    File("airflow/fernet_key",             AIRFLOW,  "fernet_key",      "{}"),
    File("airflow/jwt_secret",             AIRFLOW,  "jwt_secret",      "{}"),
    File("airflow/api_secret_key",         AIRFLOW,  "api_secret_key",  "{}"),
    File("airflow/admin_password",         AIRFLOW,  "admin_password",  "{}"),
    File("airflow/installation_id",        AIRFLOW,  "installation_id", "{}"),
    File("installation/id",                GUARD,    "installation_id", "{}"),
    File("source_owner/uri",               STAGE,    "source_owner",    f"postgresql://source_owner:{{}}@postgres:5432/source{TLS}ca.pem"),
    File("connections/source/uri",         STAGE,    "extract",         f"postgresql://extract:{{}}@postgres:5432/source{TLS}connections/source/ca.pem"),
    File("connections/warehouse/uri",      STAGE,    "extract",         f"postgresql://extract:{{}}@postgres:5432/warehouse{TLS}connections/warehouse/ca.pem"),
    File("stages/load/uri",                STAGE,    "load",            f"postgresql://load:{{}}@postgres:5432/warehouse{TLS}warehouse/ca.pem"),
    File("stages/visualize/uri",           STAGE,    "report",          f"postgresql://report:{{}}@postgres:5432/warehouse{TLS}warehouse/ca.pem"),
)  # fmt: skip

VOLUMES: Final = (
    Volume("postgres_data", POSTGRES),
    Volume("postgres_socket", POSTGRES),
    Volume("runs", STAGE),
    Volume("inbox", STAGE),
    Volume("exports", STAGE),
    Volume("reports", STAGE),
    Volume("airflow_logs", AIRFLOW),
    Volume("outbox", AIRFLOW),
)

# The addresses of channels, by name; a folder that is mounted must be there, though nobody has a channel yet.
CHANNELS: Final = "alerts"
# Where events of lineage are sent to: its address, and a token if it wants one.
LINEAGE: Final = "lineage"
