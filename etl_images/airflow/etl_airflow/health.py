"""Tells whether a component of Airflow is alive, at the cost of one request or one query.

Airflow's own `airflow jobs check` takes 7 s of processor time, and its health page answers 200 whatever it says.
"""

import argparse
import json
import sys
import urllib.request

ALIVE_SECONDS = 60


def api_server() -> str | None:
    """Ask the api-server for the health of itself and its database; say what is wrong."""
    with urllib.request.urlopen("http://localhost:8080/api/v2/monitor/health", timeout=5) as answer:
        status = json.load(answer)["metadatabase"]["status"]
    return None if status == "healthy" else f"the metadata database is {status}"


def scheduler() -> str | None:
    """Ask the scheduler's own health page, which knows its heartbeat."""
    with urllib.request.urlopen("http://localhost:8974/health", timeout=5):
        return None


def dag_processor() -> str | None:
    """Look for a fresh heartbeat in the table of jobs; the dag-processor has no page."""
    import psycopg2  # noqa: PLC0415 - only this check needs it

    from etl_airflow.init import database_url  # noqa: PLC0415

    with psycopg2.connect(database_url()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select extract(epoch from now() - max(latest_heartbeat)) from job "
            "where job_type = 'DagProcessorJob' and state = 'running'"
        )
        row = cursor.fetchone()
    age = row[0] if row else None
    return None if age is not None and age < ALIVE_SECONDS else f"the last heartbeat is {age} s old"


CHECKS = {"api-server": api_server, "scheduler": scheduler, "dag-processor": dag_processor}


def main() -> None:
    """Check one component; exit with 1 and the reason if it is not well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("component", choices=CHECKS)
    try:
        complaint = CHECKS[parser.parse_args().component]()
    except OSError as error:
        complaint = str(error)
    if complaint:
        sys.exit(complaint)


if __name__ == "__main__":
    main()
