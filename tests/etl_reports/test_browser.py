"""The pages in a real browser, inside Airflow's own, as people meet them."""

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.etl_reports.site import Site
from tests.visualize.reporting import png_detail

pytestmark = pytest.mark.integration


def _inside(page: Page) -> FrameLocator:
    """Give our page inside Airflow's."""
    return page.frame_locator("iframe")


def _drawn(report: FrameLocator) -> None:
    """See that each chart is drawn: its marks have a size, and its picture has detail."""
    expect(report.locator("figure.chart.alive")).to_have_count(2, timeout=20_000)
    sizes = report.locator(".live svg .mark-line path, .live svg .mark-rect path").evaluate_all(
        "marks => marks.map(mark => mark.getBBox()).map(box => box.width * box.height)"
    )
    assert len(sizes) == 4  # two lines, two bars
    assert min(sizes) > 1000
    for chart in report.locator(".live").all():
        _, _, detail = png_detail(chart.screenshot())
        assert detail > 50


def test_a_runs_tab_shows_its_report(page: Page, site: Site, flights_run: str) -> None:
    """Beside the tasks; it is saved as one file from there."""
    page.goto(f"{site.address}/dags/flights/runs/{flights_run}")
    page.get_by_role("link", name="Report", exact=True).click()
    ours = _inside(page)
    _drawn(ours.frame_locator("iframe"))
    with page.expect_download() as saved:
        ours.get_by_role("link", name="Save").click()

    assert saved.value.suggested_filename == "flights-2026-07-01.html"
    assert "vegaEmbed" in Path(saved.value.path()).read_text()


def test_a_pipelines_tab_shows_its_last_report(page: Page, site: Site, flights_run: str) -> None:
    """And leads to the run in Airflow, which a frame alone could not."""
    page.goto(f"{site.address}/dags/flights")
    page.get_by_role("link", name="Report", exact=True).click()
    ours = _inside(page)
    _drawn(ours.frame_locator("iframe"))
    ours.get_by_role("link", name="Run", exact=True).click()

    page.wait_for_url(f"**/dags/flights/runs/{flights_run.replace('+', '*').replace(':', '*')}**")
