"""Lists every secret: how it is generated, where it is written, for whom and in which form."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# The numeric users of the images.
POSTGRES: Final = 999
STAGE: Final = 10001
GUARD: Final = 10002
AIRFLOW: Final = 50000

VERIFIER: Final = "a SCRAM-SHA-256 verifier"  # the one form that cannot be read back


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
    """Says where a value is written; `form` has {} for the value, or is VERIFIER."""

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
    "report": password,
    "analyst": password,
    # What Airflow's components share.
    "admin_password": password,
    "fernet_key": fernet_key,
    "jwt_secret": signing_key,
    "api_secret_key": signing_key,
    "installation_id": installation_id,
}

FILES: Final = (
    # path                                 owner     value             form
    File("postgres/airflow.scram",         POSTGRES, "airflow",         VERIFIER),
    File("postgres/source_owner.scram",    POSTGRES, "source_owner",    VERIFIER),
    File("postgres/extract.scram",         POSTGRES, "extract",         VERIFIER),
    File("postgres/load.scram",            POSTGRES, "load",            VERIFIER),
    File("postgres/report.scram",          POSTGRES, "report",          VERIFIER),
    File("postgres/analyst.scram",         POSTGRES, "analyst",         VERIFIER),
    File("analyst/password",               POSTGRES, "analyst",         "{}"),
    File("airflow/database_url",           AIRFLOW,  "airflow",         "postgresql+psycopg2://airflow:{}@postgres:5432/airflow"),
    File("airflow/fernet_key",             AIRFLOW,  "fernet_key",      "{}"),
    File("airflow/jwt_secret",             AIRFLOW,  "jwt_secret",      "{}"),
    File("airflow/api_secret_key",         AIRFLOW,  "api_secret_key",  "{}"),
    File("airflow/admin_password",         AIRFLOW,  "admin_password",  "{}"),
    File("airflow/installation_id",        AIRFLOW,  "installation_id", "{}"),
    File("installation/id",                GUARD,    "installation_id", "{}"),
    File("source_owner/uri",               STAGE,    "source_owner",    "postgresql://source_owner:{}@postgres:5432/source"),
    File("connections/source/uri",         STAGE,    "extract",         "postgresql://extract:{}@postgres:5432/source"),
    File("connections/warehouse/uri",      STAGE,    "extract",         "postgresql://extract:{}@postgres:5432/warehouse"),
    File("stages/load/uri",                STAGE,    "load",            "postgresql://load:{}@postgres:5432/warehouse"),
    File("stages/visualize/uri",           STAGE,    "report",          "postgresql://report:{}@postgres:5432/warehouse"),
)  # fmt: skip

VOLUMES: Final = (
    Volume("postgres_data", POSTGRES),
    Volume("postgres_socket", POSTGRES),
    Volume("runs", STAGE),
    Volume("inbox", STAGE),
    Volume("exports", STAGE),
    Volume("reports", STAGE),
    Volume("airflow_logs", AIRFLOW),
)
