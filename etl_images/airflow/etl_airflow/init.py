"""Prepares Airflow's database: its schema, the user `admin`, the books on logins, and what each role may see.

Airflow's own commands take seconds to say that nothing is to be done, so what was done is remembered in the database.
"""

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg2

SECRETS = Path("/run/secrets")
ADMIN = "admin"
# The UI asks for the list of plugins to show a plugin's tabs; FAB lets only Op and Admin read it.
SEES_PLUGINS = ("Viewer", "User")


def main() -> None:
    """Prepare what is not prepared yet."""
    password = secret("admin_password")
    wanted = fingerprint(password)
    with psycopg2.connect(database_url()) as connection, connection.cursor() as cursor:
        cursor.execute("create table if not exists etl_prepared (fingerprint text primary key)")
        cursor.execute("select 1 from etl_prepared where fingerprint = %s", (wanted,))
        if cursor.fetchone():
            say("Airflow's database is prepared.")
            return
    say("Preparing Airflow's database ...")
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
    prepare_users(password)
    with psycopg2.connect(database_url()) as connection, connection.cursor() as cursor:
        cursor.execute("delete from etl_prepared")
        cursor.execute("insert into etl_prepared values (%s)", (wanted,))
    say(f"Airflow's database is prepared; its user is '{ADMIN}'.")


def prepare_users(password: str) -> None:
    """Create the admin, or give it the password of the secret; count logins; let every role see the plugins' pages."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import (  # noqa: PLC0415 - costs seconds
        get_application_builder,
    )
    from sqlalchemy import text  # noqa: PLC0415

    from etl_airflow.login_limit import TABLE  # noqa: PLC0415

    with get_application_builder() as builder:
        manager = builder.sm
        user = manager.find_user(username=ADMIN)
        if user is None:
            role = manager.find_role("Admin")
            manager.add_user(ADMIN, "Platform", "Admin", "admin@localhost", role, password=password)
        else:
            manager.reset_password(user.id, password)
        manager.session.execute(text(TABLE))
        manager.session.commit()
        permission = manager.create_permission("can_read", "Plugins")
        for name in SEES_PLUGINS:
            manager.add_permission_to_role(manager.find_role(name), permission)


def fingerprint(password: str) -> str:
    """Name what is to be prepared: these versions, this code, this password."""
    packages = ("apache-airflow-core", "apache-airflow-providers-fab")
    facts = [*(f"{name}=={version(name)}" for name in packages), Path(__file__).read_text(), password]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def database_url() -> str:
    """Give the metadata database's URL as libpq takes it."""
    return secret("database_url").replace("+psycopg2", "")


def secret(name: str) -> str:
    """Read a secret's file."""
    return (SECRETS / name).read_text().strip()


def say(message: str) -> None:
    """Print a line into the service's log."""
    print(message, flush=True)  # noqa: T201 - the log of a one-shot service


if __name__ == "__main__":
    main()
