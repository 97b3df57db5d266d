"""The page in a real browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from etl_visualize.__main__ import visualize
from tests.visualize.reporting import KnownWarehouse, chart, task

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
ROWS = [{"hour": hour, "origin": origin, "delay": hour * 1.5} for hour in range(24) for origin in ("EWR", HOSTILE)]


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_charts_come_alive_and_hostile_values_do_not(tmp_path: Path) -> None:
    """Under the page's own policy, which forbids eval, each chart is drawn; no value becomes an element."""
    charts = [
        chart("line", title="Delay", sql="a", x="hour:O", y="delay", color="origin"),
        chart("bar", title=HOSTILE, sql="a", x="mean(delay)", y="origin"),
        chart("bar", title="None", sql="b", x="hour"),
    ]
    visualize(task(*charts, folder=tmp_path / "run"), KnownWarehouse({"a": ROWS, "b": []}).connect)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=20000", "--enable-logging=stderr"]
    address = (tmp_path / "run" / "index.html").as_uri()
    done = subprocess.run(
        [str(CHROMIUM), *flags, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
    )

    assert len(re.findall(r'<figure class="card chart alive"', done.stdout)) == 2
    assert "<title>New York departures · 2026-07-01</title>" in done.stdout
    assert "<img src=x" not in done.stdout
    assert "CONSOLE" not in done.stderr
