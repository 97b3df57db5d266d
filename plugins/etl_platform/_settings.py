"""Reads where this installation's things are: its project's name, its images' tag, its id."""

import os
from pathlib import Path
from typing import NamedTuple, Self


class Settings(NamedTuple):
    """What the operator must know of the installation; none of it is secret."""

    project: str
    tag: str
    installation: str
    engine_url: str
    pipelines: Path
    recorder: Path = Path("/run/secrets/recorder_uri")
    alerts: Path = Path("/opt/airflow/config/alerts/defaults.yaml")
    lineage: Path = Path("/opt/airflow/config/lineage/settings.yaml")
    outbox: Path = Path("/outbox")

    @classmethod
    def of_environment(cls) -> Self:
        """Read the settings that docker-compose.yml gives to Airflow's services."""
        secret = Path(os.environ.get("ETL_INSTALLATION_FILE", "/run/secrets/installation_id"))
        return cls(
            project=os.environ.get("COMPOSE_PROJECT_NAME", "etl"),
            tag=os.environ.get("ETL_TAG", "local"),
            installation=secret.read_text().strip() if secret.exists() else "",
            engine_url=os.environ.get("DOCKER_HOST", "tcp://docker-guard:2375"),
            pipelines=Path(os.environ.get("ETL_PIPELINES", "/opt/airflow/config/pipelines")),
            alerts=Path(os.environ.get("ETL_ALERTS", "/opt/airflow/config/alerts/defaults.yaml")),
            lineage=Path(os.environ.get("ETL_LINEAGE", "/opt/airflow/config/lineage")) / "settings.yaml",
            outbox=Path(os.environ.get("ETL_OUTBOX", "/outbox")),
        )
