"""docs/first-pipeline.md: followed literally, command by command, against a web server of its own.

Its last part runs the pipeline, which takes a platform: tests/e2e/test_first_pipeline.py.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._engine import OURS, docker, image, network
from tests.docs.pages import ROOT, blocks

GUIDE = ROOT / "docs" / "first-pipeline.md"
PROJECT = f"{OURS}-guide"
RUNS = "make run"
SHOP = f"{PROJECT}_egress-shop"


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for pipeline files, and a platform that has nothing but a way out."""
    with network(f"{PROJECT}_egress"):
        yield tmp_path


def _run(command: str, pipelines: Path) -> str:
    """Run a command of the page on the platform of the test; give what it prints, without times."""
    here = {"etl_egress": f"{PROJECT}_egress", "etl-platform/transform:local": image("transform")}
    for theirs, ours in {**here, "--name shop": f"--name {SHOP} --network-alias shop"}.items():
        command = command.replace(theirs, ours)
    environment = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, "ETL_PIPELINES": str(pipelines)}
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return _timeless(done.stdout)


def _timeless(text: str) -> str:
    """Leave out how long something took, what make says of an exit code, and what a terminal shows only meanwhile."""
    text = re.sub(r" +[\d.]+ s ", " S ", text)
    return "".join(line for line in text.splitlines(keepends=True) if not re.match(r"make: |\w[\w ]+ \.\.\.$", line))


@pytest.mark.integration
def test_the_page_can_be_followed_literally(pipelines: Path) -> None:
    """Each file is written as it is shown, and each command prints what the page says that it prints."""
    told: list[tuple[str, str]] = []
    printed: list[tuple[str, str]] = []
    expected_csv = pipelines / "tests" / "orders" / "first_day" / "expected" / "daily.csv"
    for block in blocks(GUIDE):
        if block.file:
            (pipelines / block.file).write_text(block.text)
        elif block.language == "text":
            expected_csv.write_text(block.text)
        elif block.language == "console":
            command, _, output = block.text.removeprefix("$ ").partition("\n")
            if command.startswith(RUNS):
                break
            said = _run(command, pipelines)
            if command.startswith("docker run"):
                docker("exec", SHOP, "python", "-c", _ANSWERS)
                continue
            printed.append((command, _sorted(said)))
            told.append((command, _sorted(_timeless(output))))
            if "FAILED" in output:  # the page goes on with the corrected line
                (line,) = re.findall(r"Correct the last line to `(.+)`", GUIDE.read_text())
                expected_csv.write_text("\n".join([*expected_csv.read_text().splitlines()[:-1], line, ""]))

    assert len(told) == 5
    assert printed == told


def test_the_shop_is_the_one_that_the_page_links() -> None:
    """The source has five lines, of which one came twice."""
    _, *lines = (ROOT / "docs" / "shop" / "orders.csv").read_text().splitlines()

    assert (len(lines), len(set(lines))) == (5, 4)


_ANSWERS = """
import time, urllib.request
for _ in range(100):
    try:
        urllib.request.urlopen("http://127.0.0.1:8000/orders.csv").read(); break
    except OSError:
        time.sleep(0.1)
else:
    raise SystemExit("the shop does not answer")
"""


def _sorted(text: str) -> str:
    """Put what stands on the two ways out into one order: which of them is read first, nobody knows."""
    first = [line for line in text.splitlines() if line.startswith("The source has")]
    return "\n".join([*first, *(line for line in text.splitlines() if line not in first)])
