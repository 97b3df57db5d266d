"""The pages in a real browser, inside Airflow's own, as people meet them."""

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests._browser import WIDTHS, Theme, choose_theme, cut_off, drawn, framed, missed_by_tab, shoot, shut_out
from tests.etl_reports.site import Site
from tests.visualize.reporting import png_detail
from tests.visualize.sample import ALIVE

pytestmark = pytest.mark.integration

PAGES = {
    "all": "",
    "no match": "?q=nothing-like-it",
    "history": "dags/many_01/history",
    "pipeline": "dags/flights",
    "no run yet": "dags/fresh",
    "failed": "dags/late",
}


def _inside(page: Page) -> FrameLocator:
    """Give our page inside Airflow's."""
    return page.frame_locator("iframe")


@pytest.fixture
def failed_run(site: Site) -> str:
    """Give the id of a run that failed before its report."""
    return site.run("late", "failed", failed_at="load")


def test_from_the_navigation_to_a_report_in_either_theme(page: Page, site: Site, flights_run: str) -> None:
    """Open Reports, search, open the report, see its charts, and go dark with Airflow, and light again."""
    page.get_by_role("link", name="Reports").click()
    ours = _inside(page)
    ours.get_by_role("searchbox").fill("departures")
    expect(ours.locator(".line")).to_have_count(1)
    ours.get_by_role("link", name="New York departures").click()
    report = ours.frame_locator("iframe")
    colours = []
    for theme in ("light", "dark", "light"):
        choose_theme(page, theme)  # type: ignore[arg-type]
        expect(ours.locator("html")).to_have_attribute("data-theme", theme)
        expect(report.locator("html")).to_have_attribute("data-theme", theme)
        drawn(report, ALIVE)
        shoot(page, f"airflow reports {theme}")
        colours.append(report.locator("body").evaluate("body => getComputedStyle(body).backgroundColor"))

    assert colours[0] == colours[2] != colours[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_runs_tab_shows_its_report(page: Page, site: Site, flights_run: str, theme: Theme) -> None:
    """Beside the tasks; axe-core finds nothing serious in it; it, and each chart's picture, is saved from there."""
    choose_theme(page, theme)
    page.goto(f"{site.address}/dags/flights/runs/{flights_run}")
    page.get_by_role("link", name="Report", exact=True).click()
    ours = _inside(page)
    report = ours.frame_locator("iframe")
    drawn(report, ALIVE)
    shoot(page, f"airflow run tab {theme}")
    found = [issue for frame in framed(page) for issue in shut_out(frame)]
    with page.expect_download() as saved:
        ours.get_by_role("link", name="Save").click()
    with page.expect_download() as picture:
        report.get_by_role("link", name="Download Wind against delay as PNG").click()

    assert found == []
    assert png_detail(Path(picture.value.path()).read_bytes())[2] > 50
    assert saved.value.suggested_filename == "flights-2026-07-01.html"
    assert "vegaEmbed" in Path(saved.value.path()).read_text()


def test_a_pipelines_tab_shows_its_last_report(page: Page, site: Site, flights_run: str) -> None:
    """And leads to the run in Airflow, and to a tab of the report's own, which a frame alone could not."""
    page.goto(f"{site.address}/dags/flights")
    page.get_by_role("link", name="Report", exact=True).click()
    ours = _inside(page)
    drawn(ours.frame_locator("iframe"), ALIVE)
    shoot(page, "airflow pipeline tab")
    with page.context.expect_page() as opened:
        ours.get_by_role("link", name="Open").click()
    drawn(opened.value, ALIVE)
    expect(opened.value.get_by_role("button", name="Print")).to_be_visible()
    opened.value.close()
    ours.get_by_role("link", name="Run", exact=True).click()

    page.wait_for_url(f"**/dags/flights/runs/{flights_run.replace('+', '*').replace(':', '*')}**")


def test_a_failed_runs_tab_leads_to_the_log(page: Page, site: Site, failed_run: str) -> None:
    """It says at which stage it failed, and what to do."""
    page.goto(f"{site.address}/dags/late/runs/{failed_run}")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(_inside(page).get_by_role("heading", name="The run failed at load")).to_be_visible()
    shoot(page, "airflow failed run tab")
    _inside(page).get_by_role("link", name="Look at the log of load").click()

    page.wait_for_url("**/tasks/load**")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.usefixtures("flights_run", "failed_run")
def test_nobody_is_shut_out(page: Page, site: Site, name: str, theme: Theme) -> None:
    """In either theme, from a phone to a wide screen, axe-core finds nothing serious, and nothing sticks out."""
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    page.goto(f"{site.address}/reports/{PAGES[name]}")
    page.wait_for_load_state("networkidle")
    found = []
    for device, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        found += [f"on a {device}, sticks out: {text}" for frame in page.frames for text in cut_off(frame)]
        if device in {"phone", "wide"}:
            found += [f"on a {device}, {issue}" for issue in shut_out(page)]
        if device in {"phone", "laptop"}:
            shoot(page, f"reports {name} {theme} {device}")

    assert found == []


@pytest.mark.parametrize("name", ["all", "history", "pipeline", "failed"])
@pytest.mark.usefixtures("flights_run", "failed_run")
def test_tab_reaches_everything_and_shows_where_it_is(page: Page, site: Site, name: str) -> None:
    """Also what stands in the report's own frame."""
    page.goto(f"{site.address}/reports/{PAGES[name]}")
    page.wait_for_load_state("networkidle")

    assert missed_by_tab(page) == []


def test_the_keyboard_leads_from_the_search_to_a_report(page: Page, site: Site, flights_run: str) -> None:
    """Type, Tab and Enter."""
    page.goto(f"{site.address}/reports/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("departures")
    expect(page.locator(".line")).to_have_count(1)
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "New York departures":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.address}/reports/dags/flights/runs/**")

    drawn(_inside(page), ALIVE)
