"""docs/first-pipeline.md, where it meets Airflow: what `make new` wrote waits for its first `make run`."""

import re
import shutil
from collections.abc import Iterator

import httpx
import pytest

from tests._stack import ROOT, Stack, until
from tests.docs.pages import blocks

GUIDE = ROOT / "docs" / "first-pipeline.md"
NEW = ["orders", "--from", "http://shop:8000/orders.csv", "--key", "id", "--timezone", "Europe/Paris"]


@pytest.fixture
def shop(stack: Stack) -> Iterator[None]:
    """Serve the page's CSV where extract reads."""
    serving = ["--entrypoint", "python", f"etl-platform/transform:{stack.tag}", "-m", "http.server", "8000"]
    place = ["--network", f"{stack.project}_egress", "--network-alias", "shop", "--workdir", "/shop"]
    files = ["--volume", f"{ROOT / 'docs' / 'shop'}:/shop:ro"]
    container = stack.docker("run", "--detach", "--rm", *place, *files, *serving).strip()
    yield
    stack.docker("rm", "--force", container)


@pytest.fixture
def new(stack: Stack, shop: None) -> Iterator[str]:
    """Give the pipeline as `make new` writes it, once Airflow has found it; take all of it away at the end."""
    stack.api.delete("/api/v2/dags/orders")  # of an earlier time, on a stack that is kept
    stack.script("setup/new.sh", *NEW)
    until(lambda: stack.api.get("/api/v2/dags/orders").status_code == httpx.codes.OK, 90)
    yield "orders"
    for file in stack.pipelines.glob("orders.*"):
        file.unlink()
    shutil.rmtree(stack.pipelines / "tests" / "orders")
    stack.api.delete("/api/v2/dags/orders").raise_for_status()
    stack.sql("warehouse", "drop table if exists mart.orders, mart.daily_orders")


def test_the_page_runs_as_it_says(stack: Stack, new: str) -> None:
    """Nothing runs before its author says so; a switch that somebody has used is theirs."""
    before = stack.api.get(f"/api/v2/dags/{new}").json(), stack.api.get(f"/api/v2/dags/{new}/dagRuns").json()
    for block in blocks(GUIDE):
        if block.file:
            (stack.pipelines / block.file).write_text(block.text)
    console = [block.text.removeprefix("$ ").partition("\n") for block in blocks(GUIDE, "console")]
    pages = [(command, output) for command, _, output in console if re.search(r"make (run|psql)", command)]

    printed = [stack.script("bash", "-c", command) for command, _ in pages]

    assert (before[0]["is_paused"], before[1]["total_entries"]) == (True, 0)
    assert [_plain(said) for said in printed] == [_plain(output) for _, output in pages]
    assert "switched on" not in stack.script("bash", "-c", pages[0][0])
    assert stack.script("bash", "-c", pages[1][0]) == printed[1]
    stack.api.patch(f"/api/v2/dags/{new}", json={"is_paused": True}).raise_for_status()
    with pytest.raises(AssertionError, match=f"'{new}' is paused, so a run would wait. Switch it on: http"):
        stack.script("bash", "-c", pages[0][0])


def _plain(text: str) -> list[str]:
    """Leave out how long something took, and where and when: those are others on every machine."""
    text = re.sub(r" +[\d.]+ s ", " S ", re.sub(r"http://localhost:\d+", "", text))
    return [re.sub(r"scheduled__[^/]+", "RUN", line).rstrip() for line in text.splitlines()]
