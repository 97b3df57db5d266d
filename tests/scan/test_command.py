"""`make scan` and `make sbom` as they are called: their help, their refusals, their exit codes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from etl_scan.__main__ import FOUND, UNKNOWN, main
from tests.scan.test_config import GOOD

ROOT = Path(__file__).parents[2]


def _script(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"setup/{name}.sh", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", ["scan", "sbom"])
def test_help_says_how_it_is_called(name: str) -> None:
    """And does nothing."""
    done = _script(name, "--help")

    assert done.returncode == 0
    assert f"usage: setup/{name}.sh" in done.stdout


def test_a_check_that_is_not_there_is_refused_at_once() -> None:
    """With those that are."""
    done = _script("scan", "pyhton")

    assert done.returncode == 2
    assert "'pyhton' is not a check" in done.stderr
    assert "python debian dockerfiles trivy" in done.stderr


def test_nothing_found_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    """The Dockerfiles of this repository."""
    assert main(["scan", "dockerfiles"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("== no findings fail")


def test_what_is_found_is_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until an exception lets it pass; programs read why."""
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / "etl_images").mkdir()
    (tmp_path / "etl_images" / "Dockerfile").write_text("FROM debian\n")
    (tmp_path / "scan.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)

    assert main(["scan", "--config", "scan.yaml", "dockerfiles"]) == FOUND
    assert "etl_images/Dockerfile" in capsys.readouterr().out

    let_pass = GOOD.replace("rules", "dockerfiles").replace("CIS 5.15", "DL3006")
    (tmp_path / "scan.yaml").write_text(let_pass.replace("    who: postgres\n", ""))

    assert main(["scan", "--config", "scan.yaml", "--json", "dockerfiles"]) == 0
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert [(one["what"], one["so"]) for one in check["findings"]] == [("DL3006", "let pass until 2027-11-30")]


def test_a_wrong_configuration_stops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is looked at: nothing is known."""
    config = tmp_path / "scan.yaml"
    config.write_text(GOOD.replace("medium", "bad"))

    assert main(["scan", "--config", str(config), "dockerfiles"]) == UNKNOWN
    assert "line 1, fails_from: 'bad' is none of" in capsys.readouterr().err


def test_an_image_that_is_not_there_has_no_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are stand beside."""
    assert main(["sbom", "extrakt"]) == UNKNOWN
    assert "there is no image extrakt; there are " in capsys.readouterr().err


@pytest.mark.integration
def test_one_image_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Into the folder of choice."""
    assert main(["sbom", "secrets", "--into", str(tmp_path)]) == 0

    written = json.loads((tmp_path / "secrets.cdx.json").read_text())
    assert written["bomFormat"] == "CycloneDX"
    assert "secrets" in capsys.readouterr().out
