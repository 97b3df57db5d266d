"""A pipeline's data flow: drawn on a tab of its own, for those who may see the pipeline."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from etl_platform import Pipeline, read_pipeline
from etl_platform._flow import flow_of
from etl_reports._picture import BOX, WIDTH, picture
from tests._browser import shoot
from tests.etl_reports.site import ROOT, Site


def _pipeline(path: Path) -> Pipeline:
    pipeline = read_pipeline(path)
    assert isinstance(pipeline, Pipeline), str(pipeline)
    return pipeline


def test_boxes_stand_in_columns_and_touch_no_other() -> None:
    """Sources, transform, checks, tables and the report of flights, from left to right."""
    drawn = picture(flow_of(_pipeline(ROOT / "config" / "pipelines" / "flights.yaml")))

    columns = {box.x: [] for box in drawn.boxes}  # type: dict[int, list[str]]
    for box in drawn.boxes:
        columns[box.x].append(box.kind)
    assert list(columns.values()) == [["source"] * 5, ["transform"], ["check"], ["table"] * 2, ["report"]]
    assert len(drawn.curves) == 5 + 1 + 2 + 2
    for one in drawn.boxes:
        assert one.x + WIDTH <= drawn.width
        assert one.y + BOX <= drawn.height
        assert not any(one != other and one.x == other.x and abs(one.y - other.y) < BOX for other in drawn.boxes)


def test_without_a_transform_each_source_goes_its_own_way(tmp_path: Path) -> None:
    """No curve tells of a way that no row takes."""
    (tmp_path / "shop.yaml").write_text(
        "extract: {a: {sql: source, table: a}, b: {sql: source, table: b}}\n"
        "load: {a: {table: a, mode: replace}, b: {table: b, mode: replace}}\n"
    )

    drawn = picture(flow_of(_pipeline(tmp_path / "shop.yaml")))

    starts_and_ends = {(curve.split()[1], curve.split()[-1]) for curve in drawn.curves}
    assert len(starts_and_ends) == 2
    assert all(start == end for start, end in starts_and_ends)


@pytest.mark.integration
def test_the_tab_shows_the_flow_and_leads_to_assets(page: Page, site: Site) -> None:
    """Drawn by the server, in Airflow's theme; what it says stands below as text, with links."""
    page.goto(f"{site.address}/dags/late")
    page.get_by_role("link", name="Data flow", exact=True).click()
    ours = page.frame_locator("iframe")

    expect(ours.locator("svg .box")).to_have_count(3)
    assert ours.locator("svg .box.table").bounding_box() is not None
    expect(ours.get_by_text("Runs: by hand only")).to_be_visible()
    ours.get_by_role("link", name="mart.late").click()
    page.wait_for_url("**/assets?name_pattern=mart.late**")
    expect(page.get_by_role("textbox").first).to_have_value(
        "mart.late"
    )  # what Airflow's list of assets is searched for


@pytest.mark.integration
def test_the_docs_show_words_and_highlighted_code(page: Page, site: Site) -> None:
    """Airflow's own page of the DAG: links to assets, and the YAML and its twins in colours."""
    page.goto(f"{site.address}/dags/twins")
    page.get_by_role("button", name="Dag Docs").click()

    expect(page.get_by_text("by hand only")).to_be_visible()
    expect(page.get_by_role("link", name="mart.twins")).to_have_attribute("href", "assets?name_pattern=mart.twins")
    for language, word in (("yaml", "schedule"), ("python", "return"), ("sql", "select")):
        coloured = page.locator(f"code.language-{language} .token")
        expect(coloured.get_by_text(word, exact=True).first).to_be_visible()
        colours = {token.evaluate("token => getComputedStyle(token).color") for token in coloured.all()}
        assert len(colours) > 2, f"{language} has no colours"
    shoot(page, "airflow dag docs")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("user", "dag_id", "status"),
    [("viewer", "late", 200), ("narrow", "flights", 200), ("narrow", "late", 403), ("admin", "..%2Fflights", 404)],
)
def test_only_who_may_see_a_pipeline_sees_its_flow(site: Site, user: str, dag_id: str, status: int) -> None:
    """As with its runs and reports; an id is never a path."""
    with site.client(user) as client:
        answer = client.get(f"/reports/dags/{dag_id}/flow", headers={"Accept": "text/html"})

    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.integration
def test_a_file_with_problems_says_so(site: Site, pipelines: Path) -> None:
    """Where its flow would be drawn."""
    file = pipelines / "gone.yaml"
    text = file.read_text()
    file.write_text(text.replace("mode: append", "mode: apend"))
    try:
        with site.client() as client:
            answer = client.get("/reports/dags/gone/flow", headers={"Accept": "text/html"})
    finally:
        file.write_text(text)

    assert answer.status_code == httpx.codes.OK
    assert "This pipeline cannot run" in answer.text
    assert "load.rows.mode" in answer.text
