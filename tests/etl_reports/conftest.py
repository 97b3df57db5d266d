"""Offers a web server with pipelines in every state, 5,000 reports, and a browser."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from etl_contract import Headline, Interval, ReportSummary
from etl_platform import run_folder
from tests._browser import launched, log_in, opened, watched
from tests.etl_reports.site import PASSWORDS, Site, running
from tests.visualize.sample import write_sample

YAML = """description: {description}
tags: [{tag}]
schedule: null
extract: {{rows: {{sql: source, table: rows}}}}
load: {{rows: {{table: mart.{name}, mode: append}}}}
"""
TWINS = """transform:
  - pandas: twins.py:count
  - sql: twins.sql
"""
FILES = {
    "twins.py": "def count(rows):\n    return {'rows': rows.assign(n=1)}  # each row once\n",
    "twins.sql": "create or replace table rows as\nselect 'one' as word, count(*) as n from rows where n > 0;\n",
}
DRAWS = "visualize: {title: Report of NAME, charts: [{title: Rows, sql: select 1 as n, mark: bar, encoding: {x: n}}]}\n"
MANY, EACH = 40, 125  # pipelines, and reports of each


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the pipelines' files."""
    folder = tmp_path_factory.mktemp("pipelines")
    named = {
        "flights": "aviation",
        "late": "aviation",
        "fresh": "new",
        "at_work": "new",
        "plain": "files",
        "gone": "files",
        "grown": "files",
        "twins": "files",
    }
    named |= {f"many_{number:02}": "many" for number in range(MANY)}
    for name, tag in named.items():
        text = YAML.format(name=name, tag=tag, description=f"What {name} is for")
        text += TWINS if name == "twins" else ""
        (folder / f"{name}.yaml").write_text(text + (DRAWS.replace("NAME", name) if name != "plain" else ""))
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="session")
def site(pipelines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give the server; `flights` has a report as visualize makes it, and each of many has many."""
    with running(tmp_path_factory.mktemp("airflow"), pipelines) as site:
        for number in range(MANY):
            for day in range(EACH):
                put(site.reports, f"many_{number:02}", f"run-{day}", day)
        yield site


@pytest.fixture(scope="session")
def flights_run(site: Site) -> str:
    """Give the id of a run of `flights` that has a real report, alive and with charts."""
    run_id = site.run("flights", "success")
    write_sample(site.reports / "flights" / run_folder(run_id), run_id)
    return run_id


def put(  # noqa: PLR0913 - a report has many sides
    reports: Path, pipeline: str, run_id: str, day: int, *, rows: int = 1000, figures: Sequence[str] = ("Orders",)
) -> Path:
    """Write a report's summary, as visualize leaves it; `figures` are their labels."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    summary = ReportSummary(
        title=f"Report of {pipeline}",
        pipeline=pipeline,
        run_id=run_id,
        interval=Interval(start=start, end=start + timedelta(days=1)),
        made=start + timedelta(days=1, minutes=5),
        rows=rows + day,
        figures=tuple(
            Headline(label=label, text=f"{day:,}", change="2.0%", direction="up", news="good") for label in figures
        ),
    )
    folder = reports / pipeline / run_folder(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(summary.model_dump_json())
    (folder / "index.html").write_text(f"<!doctype html><title>{run_id}</title>")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a browser."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def logged_in(browser: Browser, site: Site) -> StorageState:
    """Log in once, by the form: Airflow lets nobody do so more than five times in 40 seconds."""
    with opened(browser) as page:
        log_in(page, site.address, "admin", PASSWORDS["admin"])
        return page.context.storage_state()


@pytest.fixture
def page(browser: Browser, site: Site, logged_in: StorageState) -> Iterator[Page]:
    """Give a page of one who has logged in, watched from here on: a script of Airflow's own login fails."""
    with opened(browser, logged_in) as page, watched(page, site.address):
        page.goto(site.address)
        yield page
