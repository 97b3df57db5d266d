"""Offers a web server with pipelines in every state, 5,000 reports, and a browser."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from etl_contract import Headline, Interval, ReportSummary, StageUse
from etl_platform import run_folder
from etl_visualize.__main__ import visualize
from tests.etl_reports.site import PASSWORDS, ROOT, Site, running
from tests.visualize.reporting import KnownWarehouse, chart, load, task

PICTURES = ROOT / ".cache" / "screenshots"
YAML = """description: {description}
tags: [{tag}]
schedule: null
extract: {{rows: {{sql: source, table: rows}}}}
load: {{rows: {{table: mart.{name}, mode: append}}}}
"""
DRAWS = "visualize: {title: Report of NAME, charts: [{title: Rows, sql: select 1 as n, mark: bar, encoding: {x: n}}]}\n"
MANY, EACH = 40, 125  # pipelines, and reports of each
ROWS = [{"hour": hour, "origin": origin, "delay": hour * 1.5} for hour in range(24) for origin in ("EWR", "JFK")]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


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
    }
    named |= {f"many_{number:02}": "many" for number in range(MANY)}
    for name, tag in named.items():
        text = YAML.format(name=name, tag=tag, description=f"What {name} is for")
        (folder / f"{name}.yaml").write_text(text + (DRAWS.replace("NAME", name) if name != "plain" else ""))
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
    charts = [
        chart("line", title="Delay by hour", sql="a", x="hour:O", y="delay", color="origin"),
        chart("bar", title="Mean delay", sql="a", x="mean(delay)", y="origin"),
    ]
    use = StageUse(stage="load", rows_in=48, rows_out=48, seconds=1.5, peak_memory=90_000_000, memory_limit=500_000_000)
    folder = site.reports / "flights" / run_folder(run_id)
    given = task(*charts, folder=folder, run_id=run_id, loads=[load("mart.flights", 48, 48, 0, 0)], stages=[use])
    visualize(given, KnownWarehouse({"a": ROWS}).connect)
    return run_id


def put(reports: Path, pipeline: str, run_id: str, day: int, *, rows: int = 1000) -> Path:
    """Write a report's summary, as visualize leaves it."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    summary = ReportSummary(
        title=f"Report of {pipeline}",
        pipeline=pipeline,
        run_id=run_id,
        interval=Interval(start=start, end=start + timedelta(days=1)),
        made=start + timedelta(days=1, minutes=5),
        rows=rows + day,
        figures=(Headline(label="Orders", text=f"{day:,}", change="2.0%", direction="up", news="good"),),
    )
    folder = reports / pipeline / run_folder(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(summary.model_dump_json())
    (folder / "index.html").write_text(f"<!doctype html><title>{run_id}</title>")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give a page of one who has logged in; in the end nothing went elsewhere, and nothing complained."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{site.address}/auth/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORDS["admin"])
    page.click("[type=submit]")
    page.wait_for_url(lambda address: "login" not in address)
    complaints: list[str] = []
    addresses: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: addresses.append(asked.url))
    yield page
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower()).strip('-')}.png")
    context.close()
    assert [address for address in addresses if not address.startswith((site.address, "data:", "blob:"))] == []
    assert complaints == []
