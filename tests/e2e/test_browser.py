"""What a person sees after a run of flights, in a real browser on the running stack, and how long each page takes."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests._browser import (
    Theme,
    choose_theme,
    cut_off,
    drawn,
    framed,
    shoot,
    shut_out,
)
from tests._stack import Stack
from tests.e2e.visiting import origin, visiting

TODAY = datetime.now(ZoneInfo("America/New_York")).date()
DAY, DAY_BEFORE = (str(TODAY - timedelta(days=days)) for days in (60, 61))
CHARTS, BOXES = 5, 10  # of config/pipelines/flights.yaml
MANY = 5000
# Puts copies of a report's summary on the shelf, each about an earlier day; or takes them away again.
SHELF = """
import json, pathlib, shutil, sys
from datetime import datetime, timedelta
folder, count = pathlib.Path("/reports/flights"), int(sys.argv[1])
for there in folder.glob("copy-*"):
    shutil.rmtree(there)
told = json.loads(next(folder.glob("*/summary.json")).read_text())
for number in range(count):
    start, end = (datetime.fromisoformat(told["interval"][side]) for side in ("start", "end"))
    back = timedelta(days=1000 + number)
    told_then = told | {"run_id": f"copy {number}", "interval": told["interval"] | {
        "start": (start - back).isoformat(), "end": (end - back).isoformat()}}
    (folder / f"copy-{number}").mkdir()
    (folder / f"copy-{number}" / "summary.json").write_text(json.dumps(told_then))
"""


@pytest.fixture(scope="module")
def run_id(stack: Stack) -> str:
    """Give the run about a day whose day before is there, too."""
    stack.wait_for_dag("flights")
    stack.run("flights", DAY_BEFORE)
    return stack.run("flights", DAY)


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    """Give a page of the admin."""
    with visiting(stack) as page:
        yield page


@pytest.fixture
def many_reports(stack: Stack, run_id: str) -> Iterator[None]:
    """Put 5,000 reports on the shelf."""
    _put(stack, MANY)
    yield
    _put(stack, 0)


def _put(stack: Stack, count: int) -> None:
    volume = f"{stack.project}_reports:/reports"
    image = f"etl-platform/visualize:{stack.environment['ETL_TAG']}"
    command = ["run", "--rm", "--network", "none", "--volume", volume, "--entrypoint", "python", image]
    stack.docker(*command, "-c", SHELF, str(count))


def test_a_person_finds_the_report_of_a_run(stack: Stack, page: Page, run_id: str) -> None:
    """From the navigation to its charts, with figures and their change, and into Airflow's dark theme."""
    page.get_by_role("link", name="Reports").click()
    ours = page.frame_locator("iframe")
    ours.get_by_role("link", name=re.compile("reports? of flights")).click()
    ours.get_by_role("searchbox").fill(DAY)
    ours.get_by_role("link", name=DAY, exact=True).first.click()
    report = ours.frame_locator("iframe")
    drawn(report, CHARTS)
    shoot(page, "stack report")
    figure = report.locator(".measured", has_text="Departures")
    choose_theme(page, "dark")
    expect(report.locator("html")).to_have_attribute("data-theme", "dark")
    drawn(report, CHARTS)
    shoot(page, "stack report dark")

    departed = "select sum(departed) as n from mart.daily_delays where flight_date = :'day'"
    count, before = (int(stack.one("warehouse", departed, day=day)["n"]) for day in (DAY, DAY_BEFORE))
    expect(figure.locator(".value")).to_have_text(f"{count:,}")
    expect(figure).to_contain_text(f"before: {before:,}")
    expect(report.get_by_role("row", name="transform")).to_contain_text("MB")
    assert [issue for frame in framed(page) for issue in shut_out(frame)] == []


def test_the_task_that_drew_it_links_to_it(stack: Stack, page: Page, run_id: str) -> None:
    """Over REST, and as a button among its details, which leads to the tab."""
    task = f"/dags/flights/dagRuns/{run_id}/taskInstances/visualize"
    answer = stack.api.get(f"/api/v2{task}/links").json()
    page.goto(f"{origin(page)}/dags/flights/runs/{run_id}/tasks/visualize")
    page.get_by_role("link", name="Details").click()
    button = page.get_by_role("link", name="Report", exact=True)
    expect(button).to_be_visible()
    shoot(page, "stack task")
    button.click()
    drawn(page.frame_locator("iframe").frame_locator("iframe"), CHARTS)
    expect(page.get_by_role("link", name="Report", exact=True)).to_have_attribute("aria-current", "page")

    assert list(answer["extra_links"]) == ["Report"]
    assert answer["extra_links"]["Report"] == f"/dags/flights/runs/{quote(run_id, safe=':+')}/plugin/report"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tab_of_the_data_flow_shuts_nobody_out(stack: Stack, page: Page, theme: Theme) -> None:
    """Drawn in Airflow's theme, and told below the picture; axe-core finds nothing serious in it."""
    stack.wait_for_dag("flights")
    choose_theme(page, theme)
    page.goto(f"{origin(page)}/dags/flights")
    page.get_by_role("link", name="Data flow", exact=True).click()
    ours = page.frame_locator("iframe")
    expect(ours.locator("html")).to_have_attribute("data-theme", theme)
    expect(ours.locator("svg .box")).to_have_count(BOXES)
    shoot(page, f"stack data flow {theme}")

    (frame,) = framed(page)
    assert ours.get_by_role("heading", level=2).all_inner_texts() == ["Reads", "Makes of it", "Writes"]
    assert shut_out(frame) == []
    assert cut_off(frame) == []


@pytest.mark.usefixtures("many_reports")
def test_pages_come_with_5000_reports_on_the_shelf(page: Page, run_id: str, pytestconfig: pytest.Config) -> None:
    """How long each takes is printed, since it is the machine's, too."""
    site = origin(page)
    seconds: dict[str, float] = {}

    def timed(name: str, address: str) -> None:
        started = time.monotonic()
        page.goto(f"{site}{address}")
        seconds[name] = time.monotonic() - started

    timed("Reports, the first time", "/reports/")
    timed("Reports", "/reports/")
    timed("history", "/reports/dags/flights/history")
    expect(page.get_by_text(f"Page 1 of {MANY // 25 + 1}")).to_be_visible()
    timed("report by itself", f"/reports/dags/flights/runs/{run_id}/index.html")
    started = time.monotonic()
    page.goto(f"{site}/dags/flights/runs/{run_id}/plugin/report")
    drawn(page.frame_locator("iframe").frame_locator("iframe"), CHARTS)
    seconds["tab of a run, with charts drawn"] = time.monotonic() - started

    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    assert terminal is not None
    for name, taken in seconds.items():
        terminal.write_line(f"{name}: {taken:.2f} s")
