"""Airflow's pages in a real browser, behind the headers: nothing that they need is refused."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests._browser import launched
from tests.etl_reports.conftest import put
from tests.etl_reports.site import PASSWORDS, Site

pytestmark = pytest.mark.integration

# Of Airflow's own script on the pages of users, with these headers and without.
BROKEN = "Cannot read properties of undefined (reading 'tz')"
PAGES = [
    "/",
    "/dags",
    "/dags/orders",
    "/dags/orders/code",
    "/dags/orders/runs/{run}",
    "/dags/orders/runs/{run}/tasks/extract",
    "/plugin/reports",
    "/variables",
    "/connections",
    "/pools",
    "/events",
    "/assets",
    "/security/users",
    "/auth/users/list/",
    "/auth/users/add",
    "/auth/users/userinfo/",
    "/auth/roles/list/",
    "/auth/resetmypassword/form",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def run(door: Site) -> str:
    """Give a run."""
    return door.run("orders", "success")


@pytest.fixture(scope="module")
def context(browser: Browser, door: Site) -> Iterator[BrowserContext]:
    """Give a browser in which the admin has logged in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)  # also where the machine does much else
    page = context.new_page()
    complaints = _complaints(page)
    page.goto(f"{door.address}/auth/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORDS["admin"])
    page.click("[type=submit]")
    page.wait_for_url(lambda address: "login" not in address)
    page.wait_for_load_state("networkidle")
    assert [complaint for complaint in complaints if complaint != BROKEN] == []
    page.close()
    yield context
    context.close()


def _complaints(page: Page) -> list[str]:
    """Give a list that grows with what the browser complains about."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@pytest.mark.parametrize("path", PAGES)
def test_a_page_works_behind_the_headers(context: BrowserContext, door: Site, run: str, path: str) -> None:
    """It shows something, and the browser has refused it nothing."""
    page = context.new_page()
    complaints = _complaints(page)
    page.goto(f"{door.address}{path.format(run=run)}")
    page.wait_for_load_state("networkidle")
    text = page.locator("body").inner_text()
    page.close()

    assert [complaint for complaint in complaints if complaint != BROKEN] == []
    assert len(text) > 50


def test_the_code_is_coloured(context: BrowserContext, door: Site) -> None:
    """The editor, its workers and its styles are let through."""
    page = context.new_page()
    complaints = _complaints(page)
    page.goto(f"{door.address}/dags/orders/code")
    words = page.locator(".monaco-editor .view-line span span")
    words.first.wait_for()
    colours = set(words.evaluate_all("spans => spans.map(span => getComputedStyle(span).color)"))
    page.close()

    assert complaints == []
    assert len(colours) > 2


def test_a_report_opens_in_a_tab_of_its_own(context: BrowserContext, door: Site) -> None:
    """Shut in its sandbox, which a browser would not show behind all of the headers."""
    put(door.reports, "orders", "run-2", 2)
    page = context.new_page()
    answer = page.goto(f"{door.address}/reports/dags/orders/runs/run-2/index.html")

    assert answer is not None
    assert answer.ok
    assert page.title() == "run-2"
    assert page.evaluate("window.origin") == "null"
    page.close()


def test_a_script_that_is_not_ours_does_not_run(context: BrowserContext, door: Site) -> None:
    """Neither in the UI nor on the pages of users."""
    page = context.new_page()
    for path in ("/dags", "/auth/users/list/"):
        page.goto(f"{door.address}{path}")
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.broken = true";
                document.body.append(script);
                document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.broken = true'>");
            }"""
        )
        page.wait_for_timeout(300)

        assert page.evaluate("window.broken") is None
    page.close()


def test_another_site_cannot_frame_it(context: BrowserContext, door: Site) -> None:
    """A page of another origin, which holds ours in a frame, gets nothing to show."""
    page = context.new_page()
    other = door.address.replace("127.0.0.1", "localhost")
    page.route(
        f"{other}/frame",
        lambda route: route.fulfill(body=f"<iframe src='{door.address}/'></iframe>", content_type="text/html"),
    )
    page.goto(f"{other}/frame")
    page.wait_for_timeout(1000)

    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
    page.close()
