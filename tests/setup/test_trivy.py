"""setup/trivy.sh: Trivy is used where it can be had, is given files alone, and what it cannot do is no report."""

import shutil

import pytest

from tests.setup.project import ROOT, Project

RUN = ". setup/words.sh && . setup/settings.sh && . setup/docker.sh && . setup/trivy.sh && run_trivy"
REPORTS = ".cache/scan/trivy"


@pytest.fixture
def images(project: Project) -> Project:
    """Give a project with two images, and a Docker that has no other; what it is asked stands in docker.log."""
    shutil.copytree(ROOT / "config", project.folder / "config")
    project.fake("setup/tools.sh", "echo load etl-platform/load:x; echo postgres postgres:17")
    project.fake("bin/docker", 'echo "$*" >>docker.log; [ "$1" != image ]')
    return project


def _reports(project: Project) -> dict[str, str]:
    folder = project.folder / REPORTS
    return {file.name: file.read_text().strip() for file in folder.glob("*") if file.stat().st_size}


def test_a_program_of_the_machine_is_used(images: Project) -> None:
    """On the repository, and on each image as Docker writes it into a file; where it fails, what it said is kept."""
    images.fake(
        "bin/trivy", 'echo "$*" >>trivy.log; case $* in *ignore-unfixed*) echo no DB >&2; exit 1 ;; esac; echo "{}"'
    )
    done = images.run("bash", "-euo", "pipefail", "-c", RUN)

    assert done.returncode == 0, done.stderr
    assert _reports(images) == {"repository.json": "{}", "load.error": "no DB", "postgres.error": "no DB"}
    asked = (images.folder / "trivy.log").read_text().splitlines()
    assert len(asked) == 3
    assert "filesystem --scanners misconfig,secret" in asked[0]
    assert f"image --input {REPORTS}/image.tar" in asked[1]
    assert "save --output .cache/scan/trivy/image.tar etl-platform/load:x" in (images.folder / "docker.log").read_text()


def test_its_image_never_sees_the_socket(images: Project) -> None:
    """It runs without capabilities, reads the repository, and writes its cache alone."""
    images.fake("bin/docker", 'echo "$*" >>docker.log; [ "$1" != run ] || echo "{}"')
    done = images.run("bash", "-euo", "pipefail", "-c", RUN)

    assert done.returncode == 0, done.stderr
    assert set(_reports(images)) == {"repository.json", "load.json", "postgres.json"}
    runs = [line for line in (images.folder / "docker.log").read_text().splitlines() if line.startswith("run ")]
    assert len(runs) == 3
    for line in runs:
        assert "--cap-drop ALL --security-opt no-new-privileges --read-only" in line
        assert ":/repository:ro" in line
        assert "docker.sock" not in line
        assert "aquasec/trivy:0.73.0@sha256:" in line


def test_where_it_cannot_be_had_there_is_no_report(images: Project) -> None:
    """A machine with stand-ins has no registry: nothing is pulled, and what an earlier scan wrote is gone."""
    (images.folder / REPORTS).mkdir(parents=True)
    done = images.run("bash", "-euo", "pipefail", "-c", RUN, PYTHON_IMAGE="etl-upstream/python:3.13-trixie")

    assert done.returncode == 0, done.stderr
    assert not (images.folder / REPORTS).exists()
    assert "pull" not in (images.folder / "docker.log").read_text()


def test_where_it_is_not_pulled_there_is_no_report(images: Project) -> None:
    """A registry that does not have it, or does not answer, ends nothing."""
    images.fake("bin/docker", 'echo "$*" >>docker.log; [ "$1" != image ] && [ "$1" != pull ]')
    done = images.run("bash", "-euo", "pipefail", "-c", RUN)

    assert done.returncode == 0, done.stderr
    assert not (images.folder / REPORTS).exists()
    assert "pull --quiet aquasec/trivy" in (images.folder / "docker.log").read_text()
