"""Airflow's own trigger form with a pipeline's fields, in a real browser, as people ask for a run by hand."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from etl_platform._params import DAY_HELP
from tests._browser import opened, shoot
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration


@pytest.fixture
def page(browser: Browser, logged_in: StorageState) -> Iterator[Page]:
    """Give a page of one who has logged in; a refusal may stand in its console."""
    with opened(browser, logged_in) as page:
        yield page


def _runs(site: Site) -> list[dict[str, Any]]:
    with site.client() as client:
        found: list[dict[str, Any]] = client.get("/api/v2/dags/twins/dagRuns").raise_for_status().json()["dag_runs"]
    return found


def test_a_person_asks_for_a_day_in_the_trigger_form(page: Page, site: Site) -> None:
    """Each field has its help; what is no day is refused in words and starts nothing, a day starts its run."""
    page.goto(f"{site.address}/dags/twins")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    expect(form.get_by_text(DAY_HELP)).to_be_visible()
    shoot(page, "airflow trigger form")
    form.get_by_role("button", name="Advanced Options").click()
    form.locator(".monaco-editor").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"day": "31.1.2026"}')
    page.keyboard.press("Control+Shift+End")
    page.keyboard.press("Delete")  # quotes and braces that the editor has closed by itself
    form.get_by_role("button", name="Trigger").click()
    expect(page.get_by_text("'31.1.2026' is not a 'date'")).to_be_visible()
    shoot(page, "airflow trigger form refuses")
    refused = _runs(site)
    page.reload()
    page.get_by_role("button", name="Trigger").first.click()
    form.locator("input[name=element_day]").fill("2026-01-31")
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url("**/dags/twins/runs/manual__**")
    expect(page.get_by_text("Queued").first).to_be_visible()

    assert refused == []
    (run,) = _runs(site)
    assert run["conf"]["day"] == "2026-01-31"
    assert run["dag_run_id"] in unquote(page.url)
