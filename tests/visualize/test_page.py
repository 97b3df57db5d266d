"""The report's page: it needs nothing else, tells all, and nothing from outside runs in it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from etl_contract import Chart
from etl_visualize._drawing import draw
from etl_visualize._page import MOST_ROWS_IN_JSON, page, report_files
from etl_visualize._report import Report
from etl_visualize._table import Table
from tests.visualize.reporting import MADE, chart, dataset, load, table, task

ROWS = [{"hour": hour, "delay": hour * 1.5} for hour in range(24)]
HOSTILE = "</script><script>alert(1)</script><img src=https://example.org/x onerror=alert(2)> {{ 7*7 }} <!--"


class Page(HTMLParser):
    """Reads a page: its elements with their attributes, its scripts, and the text that a person sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element."""
        self.elements.append((tag, dict(attrs)))
        self._inside, self.text = tag, f"{self.text} "
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's word
        """Leave an element."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Take what stands in an element."""
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def _report(tmp_path: Path, given: Chart, rows: Table, **more: Any) -> Report:  # noqa: ANN401
    return Report(task(given, folder=tmp_path, **more), MADE, drawings=[draw(1, given, rows, "flights · 2026-07-01")])


def _page(tmp_path: Path, given: Chart, rows: Table, **more: Any) -> Page:  # noqa: ANN401
    return Page(page(_report(tmp_path, given, rows, **more)))


def test_a_page_loads_nothing(tmp_path: Path) -> None:
    """Every picture, style and script stands in it, so it works offline and in a sandbox."""
    found = _page(tmp_path, chart("line", x="hour:O", y="delay"), table(ROWS))
    addresses = [
        value for _, attributes in found.elements for name, value in attributes.items() if name in {"src", "href"}
    ]

    assert [value for value in addresses if value and not value.startswith(("data:image/", "#"))] == []
    assert found.all("link") == []
    assert "@import" not in page(_report(tmp_path, chart(x="hour"), table(ROWS)))


def test_only_the_pages_own_scripts_may_run(tmp_path: Path) -> None:
    """Its policy names them by digest, forbids eval, and lets nothing be loaded."""
    found = _page(tmp_path, chart(x="hour"), table(ROWS))
    policy = next(a["content"] for a in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in found.scripts[1:]]

    assert policy is not None
    assert re.findall(r"sha256-([^']+)", policy) == digests
    assert len(digests) == 2
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    assert found.all("script")[0]["type"] == "application/json"


def test_hostile_words_are_only_words(tmp_path: Path) -> None:
    """A title, a name, a value or a table cannot add an element, an attribute or a script."""
    calm = _page(
        tmp_path, chart(x="n", y="name"), table([{"name": "calm", "n": 1}]), inputs=[dataset("a", "extract", 1)]
    )
    rows = table([{"name": HOSTILE, "n": 1}])
    given = chart(title=HOSTILE, x="n", y={"field": "name", "title": HOSTILE})
    found = _page(
        tmp_path, given, rows, title=HOSTILE, run_id=HOSTILE, inputs=[dataset(HOSTILE, "extract", 1)], loads=()
    )

    assert [tag for tag, _ in found.elements] == [tag for tag, _ in calm.elements]
    assert [sorted(a) for _, a in found.elements] == [sorted(a) for _, a in calm.elements]
    assert found.scripts[1:] == calm.scripts[1:]
    assert found.text.count(HOSTILE) == 5
    (drawn,) = json.loads(found.scripts[0])["charts"].values()
    assert drawn["data"]["values"] == [{"name": HOSTILE, "n": 1}]


def test_a_page_tells_the_way_of_the_rows(tmp_path: Path) -> None:
    """What was extracted, transformed and loaded, with rows and bytes."""
    inputs = [
        dataset("flights", "extract", 900),
        dataset("weather", "extract", 72),
        dataset("flights", "transform", 880),
    ]
    loads = [load("mart.flights", 880, 800, 80, 1234)]
    text = " ".join(_page(tmp_path, chart(x="hour"), table(ROWS), inputs=inputs, loads=loads).text.split())

    assert "Extracted 972 rows flights 900 2.3 MB weather 72 2.3 MB" in text
    assert "Transformed 880 rows flights 880 2.3 MB" in text
    assert "Loaded 880 rows mart.flights 880 upsert 800 inserted, 80 updated, 1,234 deleted" in text


def test_a_page_tells_what_was_exported(tmp_path: Path) -> None:
    """Each file, with its rows and its size; the JSON has its checksum."""
    files = [
        {"dataset": "a", "uri": uri, "format": "csv", "rows": 5, "bytes": 2_000, "sha256": "0" * 64}
        for uri in ("file:///exports/a/2026-07-01.csv", "s3://partner/a.csv")
    ]
    report = _report(tmp_path, chart(x="hour"), table(ROWS), exports=files)
    text = " ".join(Page(page(report)).text.split())

    assert "Exported 10 rows a/2026-07-01.csv 5 2.0 kB s3://partner/a.csv 5 2.0 kB" in text
    assert json.loads(report_files(report)["report.json"])["exports"] == files


def test_a_page_says_what_it_is_about(tmp_path: Path) -> None:
    """Title, pipeline, day, time zone, when it was made, and the run."""
    found = _page(tmp_path, chart(x="hour"), table(ROWS))
    text = " ".join(found.text.split())

    assert text.startswith("New York departures · 2026-07-01")
    assert "flights New York departures 2026-07-01 America/New_York Made 2026-07-02 04:30" in text
    assert "Run scheduled__2026-07-02T04:00:00+00:00" in text


def test_a_chart_without_rows_says_so(tmp_path: Path) -> None:
    """Its card stays, with no picture and nothing to download."""
    found = _page(tmp_path, chart(title="Cancelled", x="hour"), table([]))

    assert "No rows in this interval" in found.text
    assert found.all("img") == []
    assert json.loads(found.scripts[0])["charts"] == {}


def test_a_chart_of_too_many_rows_says_so(tmp_path: Path) -> None:
    """Half a chart would lie, so there is none."""
    found = _page(tmp_path, chart(x="hour"), Table({}, [], more=True))

    assert "More than 20,000 rows" in found.text


def test_a_page_can_be_heard(tmp_path: Path) -> None:
    """Landmarks, one main heading, no level skipped, a name for each control, words for each picture."""
    found = _page(tmp_path, chart(title="Delay", x="hour"), table(ROWS), inputs=[dataset("a", "extract", 1)])
    tags = [tag for tag, _ in found.elements]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
    ids = {attributes.get("id") for _, attributes in found.elements}

    assert {"header", "main", "footer"} <= set(tags)
    assert levels == [1, 2, 3, 2, 3]
    assert found.all("html")[0]["lang"] == "en"
    assert [picture["alt"] for picture in found.all("img")] == ["Delay: bar chart, x Hour; 24 rows."]
    assert {a["aria-labelledby"] for _, a in found.elements if "aria-labelledby" in a} <= ids
    assert [a["aria-label"] for a in found.all("a") if "download" in a] == [
        "Download Delay as PNG",
        "Download Delay as SVG",
        "Download the rows of Delay as CSV",
    ]


def test_the_files_are_named_after_their_charts(tmp_path: Path) -> None:
    """The page, all of it as JSON and in short, a picture of each chart that has rows, and the first one small."""
    charts = [chart(title="Delay", x="hour"), chart(title="None", x="hour"), chart(title="Delay", x="hour")]
    drawings = [draw(n, given, table(ROWS if n != 2 else []), "x") for n, given in enumerate(charts, 1)]
    files = report_files(Report(task(*charts, folder=tmp_path), MADE, drawings=drawings))

    assert sorted(files) == [
        "01-delay.png",
        "01-delay.svg",
        "03-delay.png",
        "03-delay.svg",
        "index.html",
        "report.json",
        "summary.json",
        "thumbnail-dark.png",
        "thumbnail-light.png",
    ]


def test_the_json_has_what_the_page_tells(tmp_path: Path) -> None:
    """Another program reads it instead of the page; it says where rows were left out."""
    given = chart(title="Delay", x="hour")
    rows = table([{"hour": hour} for hour in range(MOST_ROWS_IN_JSON + 1)])
    files = report_files(_report(tmp_path, given, rows, loads=[load("mart.flights", 5, 3, 2, 1)]))
    told = json.loads(files["report.json"])

    assert told["title"] == "New York departures"
    assert told["pipeline"] == "flights"
    assert told["interval"]["text"] == "2026-07-01"
    assert told["made"] == "2026-07-02T04:30:00+00:00"
    assert told["loads"][0]["rows_updated"] == 2
    (delay,) = told["charts"]
    assert (delay["title"], delay["rows"], delay["columns"]) == ("Delay", MOST_ROWS_IN_JSON + 1, ["hour"])
    assert (delay["png"], delay["svg"], delay["truncated"]) == ("01-delay.png", "01-delay.svg", True)
    assert len(delay["data"]) == MOST_ROWS_IN_JSON


@pytest.mark.parametrize(("points", "kind"), [(10, "svg+xml"), (9_000, "png")])
def test_a_page_stays_small(tmp_path: Path, points: int, kind: str) -> None:
    """A still picture of very many marks is pixels, not vectors."""
    rows = table([{"n": n, "m": n * 7919 % 1000} for n in range(points)])
    (picture,) = _page(tmp_path, chart("circle", x="n", y="m"), rows).all("img")

    assert str(picture["src"]).startswith(f"data:image/{kind};base64,")
