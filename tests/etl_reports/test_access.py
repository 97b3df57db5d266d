"""Only who may see a pipeline sees its reports, and no id leads elsewhere."""

import httpx
import pytest

from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

HTML = {"Accept": "text/html"}
ADDRESSES = ["/reports/", "/reports/dags/flights", "/reports/dags/flights/history", "/reports/dags/flights/runs/RUN"]
ADDRESSES += ["/reports/dags/flights/runs/RUN/index.html", "/reports/dags/flights/runs/RUN/thumbnail-dark.png"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_is_not_logged_in_is_asked_to(site: Site, flights_run: str, address: str) -> None:
    """A program gets 401, a person the login, which leads back."""
    with site.client(None) as anyone:
        program = anyone.get(address.replace("RUN", flights_run))
        person = anyone.get(address.replace("RUN", flights_run), headers=HTML)

    assert program.status_code == httpx.codes.UNAUTHORIZED
    assert person.status_code == httpx.codes.SEE_OTHER
    assert person.headers["location"].startswith("/api/v2/auth/login?next=http")


@pytest.mark.parametrize("user", ["admin", "viewer", "narrow"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_see_the_pipeline_sees_its_report(site: Site, flights_run: str, user: str, address: str) -> None:
    """Also a Viewer of Airflow, and one who may see nothing else."""
    with site.client(user) as client:
        assert client.get(address.replace("RUN", flights_run), headers=HTML).status_code == httpx.codes.OK


@pytest.mark.parametrize("user", ["admin", "viewer", "narrow"])
def test_every_role_gets_the_tabs(site: Site, user: str) -> None:
    """The UI asks for the list of plugins to show them."""
    with site.client(user) as client:
        plugins = client.get("/api/v2/plugins").raise_for_status().json()["plugins"]

    (ours,) = [plugin for plugin in plugins if plugin["name"] == "etl_reports"]
    assert [view["destination"] for view in ours["external_views"]] == ["nav", "dag", "dag", "dag_run"]


def test_another_pipeline_is_neither_listed_nor_shown(site: Site) -> None:
    """To one who may see flights only."""
    with site.client("narrow") as client:
        listed = client.get("/reports/?q=many", headers=HTML).text
        refused = [
            client.get(f"/reports/dags/many_00{rest}", headers=HTML)
            for rest in ("", "/history", "/runs/run-1", "/runs/run-1/index.html", "/runs/run-1/summary.json")
        ]

    assert "many_00" not in listed
    assert {answer.status_code for answer in refused} == {httpx.codes.FORBIDDEN}
    assert all("You may not see this" in answer.text for answer in refused)


@pytest.mark.parametrize(
    "trick", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "%2e", "report.json%00.html", "nothing.html", "x%5c.."]
)
@pytest.mark.parametrize(
    "place", ["/reports/dags/{}/runs/x/index.html", "/reports/dags/flights/runs/RUN/{}", "/reports/static/{}"]
)
def test_tricks_in_ids_find_nothing(site: Site, flights_run: str, place: str, trick: str) -> None:
    """Whatever an id says, only what stands in a report's folder is given."""
    with site.client() as client:
        answer = client.get(place.replace("RUN", flights_run).format(trick))

    assert answer.status_code == httpx.codes.NOT_FOUND


def test_a_report_is_shut_in_and_our_pages_take_nothing_from_elsewhere(site: Site, flights_run: str) -> None:
    """A report's script has an origin of its own; our pages have no script but theirs."""
    with site.client() as client:
        report = client.get(f"/reports/dags/flights/runs/{flights_run}/index.html")
        page = client.get("/reports/", headers=HTML)

    assert report.headers["content-security-policy"].startswith("sandbox allow-scripts allow-downloads")
    assert "allow-same-origin" not in report.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert {answer.headers["x-content-type-options"] for answer in (report, page)} == {"nosniff"}


def test_a_report_is_saved_as_one_file_that_says_what_it_is(site: Site, flights_run: str) -> None:
    """Under the pipeline's name and its day."""
    with site.client() as client:
        saved = client.get(f"/reports/dags/flights/runs/{flights_run}/index.html?save")

    assert saved.headers["content-disposition"] == 'attachment; filename="flights-2026-07-01.html"'
    assert saved.text.lstrip().lower().startswith("<!doctype html>")
