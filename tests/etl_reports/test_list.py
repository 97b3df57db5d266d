"""The page of all pipelines: filtered, in order, and page by page."""

import re

import pytest

from tests.etl_reports.conftest import MANY, put
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

HTML = {"Accept": "text/html"}


def _get(site: Site, address: str, status: int = 200) -> str:
    with site.client() as client:
        answer = client.get(address, headers=HTML)
    assert answer.status_code == status
    return answer.text


def _titles(html: str) -> list[str]:
    return re.findall(r"<h2><a [^>]*>([^<]+)</a></h2>", html)


def test_a_page_tells_only_of_what_it_shows(site: Site) -> None:
    """Of 5,000 reports those of 20 pipelines, each with its last 14."""
    html = _get(site, "/reports/?q=many&page=2")

    assert html.count('<li class="line">') == 20
    assert len(re.findall(r"<li><a class=\"h\d+\"", html)) == 20 * 14
    assert len(html) < 150_000


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "9" * 5000])
@pytest.mark.parametrize("place", ["?q=many&sort=name", "dags/many_01/history?q=2026"])
def test_a_page_of_no_number_is_the_first(site: Site, place: str, page: str) -> None:
    """Whoever edits the address meets a page, not the words of a program."""
    assert "Page 1 of " in _get(site, f"/reports/{place}&page={page}")


def test_pages_hold_20_pipelines_each_once(site: Site) -> None:
    """In the order asked for, and a page beyond the last is the last."""
    found = [title for number in (1, 2) for title in _titles(_get(site, f"/reports/?q=many&sort=name&page={number}"))]

    assert found == [f"Report of many_{number:02}" for number in range(MANY)]
    assert _titles(_get(site, "/reports/?q=many&sort=name&page=99")) == found[20:]


def test_search_and_state_leave_what_matches(site: Site, flights_run: str) -> None:
    """Words stand in the name, the description, the title or a tag."""
    site.run("late", "failed", failed_at="load")

    assert _titles(_get(site, "/reports/?q=aviation+departures")) == ["New York departures"]
    assert _titles(_get(site, "/reports/?state=failed&q=aviation")) == ["late"]
    assert "Failed at load" in _get(site, "/reports/?state=failed")
    assert "Nothing matches" in _get(site, "/reports/?q=%3Cscript%3Ealert(1)")
    assert "<script>alert" not in _get(site, "/reports/?q=%3Cscript%3Ealert(1)")


def test_history_lists_a_pipelines_reports(site: Site) -> None:
    """25 a page, the latest interval first; a day is found by its name."""
    first = _get(site, "/reports/dags/many_01/history")
    found = _get(site, "/reports/dags/many_01/history?q=2026-03")

    assert re.findall(r">(2026-\d\d-\d\d)</a>", first)[:2] == ["2026-05-05", "2026-05-04"]
    assert first.count('<th scope="row">') == 25
    assert "Page 1 of 5" in first
    assert set(re.findall(r">(2026-\d\d)-\d\d</a>", found)) == {"2026-03"}


def test_history_shows_reports_of_before_a_figure_was_added_or_renamed(site: Site) -> None:
    """The last report's figures head the columns; where an older one has none of that name, a dash stands."""
    for day, figures in enumerate([(), ("Sold",), ("Turnover", "Sold")]):
        put(site.reports, "grown", f"run-{day}", day, figures=figures)

    table = _get(site, "/reports/dags/grown/history")

    assert re.findall(r'class="number">([^<]+)</th>', table)[-2:] == ["Turnover", "Sold"]
    cells = re.findall(r'<td class="number">([^<]+)</td>', table)
    none = "–"  # noqa: RUF001 - what people see
    assert [cells[row : row + 2] for row in (3, 8, 13)] == [["2", "2"], [none, "1"], [none, none]]


@pytest.mark.parametrize(
    ("pipeline", "state", "failed_at", "said"),
    [
        ("fresh", None, None, ["No report yet", "make run PIPELINE=fresh"]),
        ("at_work", "queued", None, ["The report is being made", "data-again"]),
        ("late", "failed", "load", ["The run failed at load", "then <strong>clear</strong> the task", "/tasks/load"]),
        ("plain", "success", None, ["draws no report", "config/pipelines/plain.yaml"]),
        ("gone", "success", None, ["not there any more", "to draw it again from the warehouse"]),
    ],
)
def test_where_there_is_no_report_the_page_says_what_to_do(
    site: Site, pipeline: str, state: str | None, failed_at: str | None, said: list[str]
) -> None:
    """On the pipeline's tab and on the run's."""
    addresses = [f"/reports/dags/{pipeline}?tab=dag"]
    if state is not None:
        addresses.append(f"/reports/dags/{pipeline}/runs/{site.run(pipeline, state, failed_at=failed_at)}?tab=run")
    for address in addresses:
        html = _get(site, address)

        assert all(words in html for words in said)


def test_a_failed_run_after_a_report_is_told_above_it(site: Site, flights_run: str) -> None:
    """The report is older than it looks."""
    site.run("flights", "failed", failed_at="extract")

    assert "The last run failed at <strong>extract</strong>" in _get(site, "/reports/dags/flights?tab=dag")


def test_what_is_not_there_is_404(site: Site) -> None:
    """And the page says so."""
    assert "There is no pipeline nothing" in _get(site, "/reports/dags/nothing", 404)
    assert "There is no such run" in _get(site, "/reports/dags/flights/runs/nothing", 404)
    assert "There is nothing here" in _get(site, "/reports/nothing", 404)
