"""Looks at pages with Debian's Chromium: what is drawn, what complains, what leaves the origin, who is shut out.

Pictures stay in .cache/screenshots, for people to look at.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    Frame,
    FrameLocator,
    Page,
    StorageState,
    TimeoutError,  # noqa: A004 - it is Playwright's that is meant
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.visualize.reporting import png_detail

PICTURES = Path(__file__).parents[1] / ".cache" / "screenshots"
WIDTHS = {"phone": 390, "tablet": 834, "laptop": 1440, "wide": 1920}
Theme = Literal["light", "dark"]

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_HEIGHT = 900
_SERIOUS = {"serious", "critical"}
# What a person can act on, in the order of Tab; the inside of a closed <details> and what is hidden are not reached.
_FOCUSABLE = """() => {
  const all = document.querySelectorAll("a[href], button, input, select, summary, iframe, [tabindex='0']");
  const seen = (one) => one.checkVisibility({ visibilityProperty: true });
  const found = [...all].filter((one) => one.tabIndex >= 0 && !one.disabled && seen(one));
  found.forEach((one, number) => { one.dataset.place = number; });
  return found.map((one) => one.outerHTML.slice(0, 100));
}"""
_FOCUSED = """() => {
  const { dataset, tagName } = document.activeElement, style = getComputedStyle(document.activeElement);
  const seen = tagName === "IFRAME" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1);
  return { place: document.hasFocus() ? dataset.place ?? null : null, seen };
}"""
# What is wider than the room that it has: nobody who does not scroll sideways sees all of it.
_CUT = """() => {
  const room = document.documentElement.clientWidth;
  const scrolls = (one) => one && (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const cut = [...document.body.querySelectorAll("*")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.right > room + 1 && !scrolls(one.parentElement) && !one.closest("svg, .heard, .skip");
  });
  return { wider: document.documentElement.scrollWidth - room, cut: cut.map((one) => one.outerHTML.slice(0, 120)) };
}"""


# A busy machine draws late; what is not drawn by then is not drawn.
_PATIENCE = 60_000
expect.set_options(timeout=_PATIENCE)


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """Give a browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*_FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, state: StorageState | None = None) -> Iterator[Page]:
    """Give a page of one who has never been here, or with what the browser kept of another visit."""
    size: ViewportSize = {"width": WIDTHS["laptop"], "height": _HEIGHT}
    context = browser.new_context(viewport=size, color_scheme="light", storage_state=state)
    context.set_default_timeout(_PATIENCE)
    yield context.new_page()
    context.close()


@contextmanager
def watched(page: Page, origin: str) -> Iterator[None]:
    """See that nothing goes elsewhere, and nothing complains."""
    complaints: list[str] = []
    addresses: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.context.on("request", lambda asked: addresses.append(asked.url))
    yield
    elsewhere = [address for address in addresses if not address.startswith((origin, "data:", "blob:"))]
    assert addresses
    assert not elsewhere, elsewhere
    assert not complaints, complaints


def framed(page: Page) -> list[Frame]:
    """Give our page and the report in it, where they stand inside Airflow's, which is not ours to mend."""
    return [frame for frame in page.frames if frame.parent_frame is not None]


def log_in(page: Page, address: str, user: str, password: str) -> None:
    """Log in by Airflow's form, as a person does."""
    page.goto(f"{address}/auth/login/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url(lambda reached: "login" not in reached)


def choose_theme(page: Page, theme: Theme) -> None:
    """Switch Airflow's theme, as a person does: once more, where the page was drawn anew below the open menu."""
    try:
        _choose_theme(page, theme, seconds=10)
    except TimeoutError:
        page.keyboard.press("Escape")
        _choose_theme(page, theme, seconds=60)


def _choose_theme(page: Page, theme: Theme, seconds: int) -> None:
    page.get_by_role("button", name="User").click()
    page.get_by_role("menuitem", name="Appearance").hover()
    page.get_by_role("menuitemradio", name=f"{theme.title()} Mode").click(timeout=1000 * seconds)
    page.keyboard.press("Escape")


def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture of what is seen, or of the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    page.screenshot(path=PICTURES / f"{file}.png", full_page=whole, animations="disabled")


def drawn(report: Page | FrameLocator, charts: int) -> None:
    """See that so many charts are drawn, not only there: their marks take room, and their pictures have detail."""
    alive = report.locator("figure.chart.alive")
    expect(alive).to_have_count(charts)
    for chart in alive.all():
        name, live = chart.get_attribute("id"), chart.locator(".live")
        expect(live.locator("svg .role-mark path, canvas").first).to_be_attached()
        boxes = live.locator("svg .role-mark path").evaluate_all(
            "marks => marks.map((mark) => mark.getBBox()).map((box) => box.width + box.height)"
        )
        assert max(boxes, default=0) > 5 or live.locator("canvas").count() == 1, f"{name} has no marks"
        _, _, detail = png_detail(live.screenshot())
        assert detail > 50, f"{name} is blank"


def shut_out(page: Page | Frame) -> list[str]:
    """Give what axe-core calls serious or critical: somebody cannot read or use it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{issue['id']}: {node['html']} {' '.join(part['message'] for part in node['any'])}"
        for issue in found
        if issue["impact"] in _SERIOUS
        for node in issue["nodes"]
    ]


def cut_off(page: Page | Frame) -> list[str]:
    """Give what sticks out to the right, where one would have to scroll sideways."""
    found = page.evaluate(_CUT)
    return [*([f"the page is {found['wider']} px too wide"] if found["wider"] > 0 else []), *found["cut"]]


def missed_by_tab(page: Page) -> list[str]:
    """Press Tab through the page and its frames; give what is not reached, and what does not show that it is."""
    places: dict[Frame, list[str]] = {frame: frame.evaluate(_FOCUSABLE) for frame in page.frames}
    page.evaluate("() => document.activeElement.blur()")
    reached: dict[tuple[Frame, int], bool] = {}
    for _ in range(sum(map(len, places.values())) + 5):
        page.keyboard.press("Tab")
        for frame in places:
            focused = frame.evaluate(_FOCUSED)
            if focused["place"] is not None:
                reached.setdefault((frame, int(focused["place"])), focused["seen"])
    assert all(places.values())
    return [
        text for frame, texts in places.items() for number, text in enumerate(texts) if not reached.get((frame, number))
    ]
