"""The report in a real browser: drawn, readable by all, whole without a network and on paper."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests._browser import (
    PICTURES,
    WIDTHS,
    Theme,
    cut_off,
    drawn,
    launched,
    missed_by_tab,
    opened,
    shoot,
    shut_out,
    watched,
)
from tests.visualize.reporting import png_detail
from tests.visualize.sample import ALIVE, write_sample

A4 = (595, 842)  # points
MARGIN = 14 / 25.4 * 72
WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
ON_PAPER = (
    *("AT A GLANCE", "68.4%", "before: 71.2%", "FROM SOURCE TO WAREHOUSE", "15 filtered, 34 quarantined"),
    *("Mean delay by hour", "Flights by airline", "JetBlue Airways", "Jun 13", "No rows in this interval"),
    *("ROUTES WITH THE LONGEST DELAYS", "LGA San Francisco Intl 29 41.2 166", "SET ASIDE", "in_range [-120, 3000] 21"),
    *("CHECKS", "dep_delay in_range [-120, 3000] 21 1,027 quarantine", "WHAT IT TOOK", "transform 1,042 993 34"),
)


def _read(paper: Path, program: str, *options: str, last: str = "-") -> str:
    """Run one of Poppler's programs on a PDF."""
    command = [program, *options, str(paper), *([last] if last else [])]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _right(one: Locator) -> float:
    return float(one.evaluate("one => one.getBoundingClientRect().right"))


def _within_margins(left: float, top: float, right: float, bottom: float) -> bool:
    return min(left, top, A4[0] - right, A4[1] - bottom) > MARGIN - 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a report as it is saved: one file, alone in its folder."""
    report = write_sample(tmp_path_factory.mktemp("reports") / "run")
    return report.rename(tmp_path_factory.mktemp("saved") / "report.html")


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """Open it, where there is no network."""
    with opened(browser) as page, watched(page, file.as_uri()):
        page.context.set_offline(True)
        page.goto(file.as_uri())
        page.locator("figure.chart.alive").nth(ALIVE - 1).wait_for()
        yield page


def test_charts_come_alive_and_hostile_values_do_not(page: Page) -> None:
    """Under the page's own policy, which forbids eval, each chart is drawn; no value becomes an element."""
    drawn(page, ALIVE)

    assert page.locator(".live canvas").count() == 1  # many points
    assert page.title() == "New York departures · 2026-07-01"
    assert page.locator("img[src=x]").count() == 0


def test_a_chart_answers_the_pointer(page: Page) -> None:
    """A bar says what it shows, and a click on the legend brings a series forward."""
    chart = page.locator("figure.chart", has_text="Flights by airline")
    chart.locator(".role-mark path").first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("United Air Lines")
    lines = page.locator("figure.chart", has_text="Mean delay by hour")
    lines.locator(".role-legend-entry text", has_text="JFK").click()

    expect(lines.locator(".mark-line path[stroke-opacity='0.12']")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_shut_out(page: Page, theme: Theme) -> None:
    """axe-core finds nothing serious, on a phone and on a wide screen, with a chart's rows opened, too."""
    if theme == "dark":
        page.get_by_role("button", name="Dark").click()
    drawn(page, ALIVE)
    page.locator("summary").first.click()
    shoot(page, f"report {theme}", whole=True)
    for device in ("phone", "wide"):
        page.set_viewport_size({"width": WIDTHS[device], "height": 900})
        page.wait_for_timeout(500)

        assert shut_out(page) == [], device


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_report_takes_the_systems_theme_until_one_chooses(browser: Browser, file: Path, theme: Theme) -> None:
    """And each chart is drawn in it."""
    with opened(browser) as page, watched(page, file.as_uri()):
        page.emulate_media(color_scheme=theme)
        page.goto(file.as_uri())
        drawn(page, ALIVE)
        axes = page.locator(".live .role-axis-label text").first.evaluate("text => text.getAttribute('fill')")
        before = page.locator("html").get_attribute("data-theme")
        page.get_by_role("button", name="Dark").click()

        assert before == theme
        assert axes == {"light": "#5a6575", "dark": "#9aa6b8"}[theme]
        expect(page.locator("html")).to_have_attribute("data-theme", {"light": "dark", "dark": "light"}[theme])


@pytest.mark.parametrize("device", WIDTHS)
def test_it_fits(page: Page, device: str) -> None:
    """From a phone to a wide screen nothing sticks out; each chart is as wide as its card, and its legend is whole."""
    page.set_viewport_size({"width": WIDTHS[device], "height": 900})
    page.wait_for_timeout(500)
    drawn(page, ALIVE)
    shoot(page, f"report on a {device}", whole=True)

    assert cut_off(page) == []
    for live in page.locator("figure.alive .live").all():
        assert live.evaluate("live => live.scrollWidth <= live.clientWidth + 1"), live.text_content()
        for legend in live.locator("svg .role-legend").all():
            assert _right(legend) <= _right(live) + 1
            assert device == "phone" or legend.evaluate("one => one.getBBox().height") < 25  # on one line


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab reaches everything and shows where it is; Enter changes the theme, opens a chart's rows, saves it."""
    assert missed_by_tab(page) == []
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure.chart").first.get_by_role("cell", name="EWR").first).to_be_visible()
    page.get_by_role("link", name="Download Mean delay by hour as PNG").focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")

    assert saved.value.suggested_filename == "01-mean-delay-by-hour.png"


def test_a_chart_is_saved_as_picture_and_rows(page: Page) -> None:
    """PNG, sharp and not blank; SVG that others read; CSV of all its rows. No network is needed."""
    saved: dict[str, bytes] = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as download:
            page.locator("figure.chart").first.get_by_role("link", name=re.compile(f"as {kind}$")).click()
        assert download.value.suggested_filename == f"01-mean-delay-by-hour.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    width, height, detail = png_detail(saved["PNG"])

    assert width >= 1500
    assert height >= 600
    assert detail > 50
    assert ET.fromstring(saved["SVG"]).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert saved["CSV"].decode().splitlines()[:2] == ["hour,origin,delay", "5,EWR,12.1"]
    assert len(saved["CSV"].decode().splitlines()) == 58


def test_without_scripts_it_is_whole_too(browser: Browser, file: Path) -> None:
    """As where a mail program shows it: still pictures, and every figure and table."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())

    assert page.locator(".still:visible").count() == ALIVE
    assert page.get_by_role("cell", name="Hartsfield Jackson Atlanta Intl").first.is_visible()
    assert not page.get_by_role("button").count()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_prints_on_paper(page: Page, theme: Theme) -> None:
    """White, without buttons, with each chart and table, and nothing beyond a page's margins."""
    if theme == "dark":
        page.get_by_role("button", name="Dark").click()
    PICTURES.mkdir(parents=True, exist_ok=True)
    paper = PICTURES / f"report-{theme}.pdf"
    page.pdf(path=paper, format="A4", print_background=True, prefer_css_page_size=True)
    _read(paper, "pdftoppm", "-r", "60", "-png", last=str(paper.with_suffix("")))
    text = " ".join(_read(paper, "pdftotext", "-layout").split())
    boxes = _read(paper, "pdftotext", "-bbox")

    for said in ON_PAPER:
        assert said in text, said
    assert "Print" not in text
    assert re.search(r"image +1520 ", _read(paper, "pdfimages", "-list", last=""))  # the chart of many points
    assert [word for *box, word in WORD.findall(boxes) if not _within_margins(*map(float, box))] == []
    assert len(re.findall(r"<page ", boxes)) <= 5
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".still:visible").count() == ALIVE
    assert not page.locator(".button:visible").count()
