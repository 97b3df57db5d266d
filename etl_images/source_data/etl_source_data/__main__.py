"""Runs `python -m etl_source_data`, the one-shot service source-data."""

import os
import sys
import time
from pathlib import Path

import psycopg

from etl_source_data._files import DATA
from etl_source_data._load import fill


def source_data() -> int:
    """Fill the database that the secret names, and return the exit code."""
    begun = time.monotonic()
    secret = Path(os.environ.get("ETL_URI_FILE", "/run/secrets/uri"))
    try:
        uri = secret.read_text("utf-8")
    except OSError as error:
        sys.stderr.write(
            f"{secret}: {error.strerror}; mount the secret source_owner there, as docker-compose.yml does\n"
        )
        return 1
    try:
        with psycopg.connect(uri, connect_timeout=10, application_name="source-data", autocommit=True) as connection:
            loaded = fill(connection, DATA)
    except psycopg.OperationalError as error:
        sys.stderr.write(
            f"{str(error).strip()}\nIs PostgreSQL up? See: docker compose ps postgres; then start this again\n"
        )
        return 1
    for table, rows in loaded.rows.items():
        sys.stdout.write(f"{table}: {rows:,} rows\n")
    done = "loaded" if loaded.now else "there already, nothing to do"
    sys.stdout.write(f"The flights of 2013 are {done} ({time.monotonic() - begun:.1f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(source_data())
