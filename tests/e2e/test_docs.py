"""What the docs show, pasted into the running platform."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests._stack import Stack
from tests.docs.pages import PIPELINES, README, blocks

DAY = str(datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=50))


@pytest.mark.parametrize("page", [README, PIPELINES], ids=lambda page: page.stem)
def test_the_pipeline_that_a_page_shows_works(stack: Stack, page: Path) -> None:
    """Two files saved, and the warehouse has what the source says."""
    files = {block.file: block.text for block in blocks(page) if (block.file or "").startswith("punctuality.")}
    with stack.pipeline("punctuality", files):
        run_id = stack.run("punctuality", DAY)
        report = stack.api.get(f"/reports/dags/punctuality/runs/{run_id}/index.html")

    found = stack.sql(
        "warehouse", "select carrier, flights, late from mart.punctuality where day = :'day' order by 1", day=DAY
    )
    assert found == stack.sql(
        "source",
        """select carrier, count(*) as flights, count(*) filter (where dep_delay >= 15) as late from flights
           where (time_hour at time zone 'America/New_York')::date = :'day' group by 1 order by 1""",
        day=DAY,
    )
    assert report.status_code == (
        httpx.codes.OK if "visualize:" in files["punctuality.yaml"] else httpx.codes.NOT_FOUND
    )
