"""Offers the web server as it stands in front of people: two workers, a user of each role, a pipeline."""

from collections.abc import Iterator

import pytest

from tests.etl_reports.site import Site, running

YAML = """description: What {name} is for
schedule: "@daily"
extract: {{rows: {{sql: source, table: rows}}}}
load: {{rows: {{table: mart.{name}, mode: append}}}}
visualize: {{title: Report, charts: [{{title: Rows, sql: select 1 as n, mark: bar, encoding: {{x: n}}}}]}}
"""
# What each role may try to delete.
SPARE = {role: f"spare_{role.lower()}" for role in ("nobody", "Viewer", "User", "Op", "Admin")}
# Also a proxy, which the server believes; the tests speak as it by coming from its address.
PROXY = "127.0.0.9"


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give the server; each role may log in, and has a pipeline to spare beside `orders`."""
    pipelines = tmp_path_factory.mktemp("pipelines")
    for name in ("orders", *SPARE.values()):
        (pipelines / f"{name}.yaml").write_text(YAML.format(name=name))
    settings = {"AIRFLOW__API__WORKERS": "2", "FORWARDED_ALLOW_IPS": PROXY}
    with running(tmp_path_factory.mktemp("airflow"), pipelines, "door", **settings) as site:
        yield site
