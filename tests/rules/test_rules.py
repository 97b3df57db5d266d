"""Each rule of the CIS Docker Benchmark 1.6 and of OWASP's Docker cheat sheet that is ours to keep, by its number.

One case for each rule and each service, stage, image and Dockerfile. What is not kept has an exception in
config/scan.yaml, which must be needed, and not over. Those about PostgreSQL: tests/postgres/test_rules.py
"""

import re
import subprocess

import pytest

from etl_scan import Check, images_of
from etl_scan._dockerfiles import dockerfiles_of
from tests.rules import container_rules, containers, dockerfiles, images
from tests.rules.rules import ROOT, Rule, cases, compose, config, docker, judged

SUBJECTS = {
    **dict.fromkeys(containers.subjects(), container_rules.RULES),
    **dict.fromkeys(dockerfiles.subjects(), dockerfiles.RULES),
    **dict.fromkeys(images.subjects(), images.RULES),
}
# Those that are ours to keep: the others are about the machine, or about what nobody uses here, such as swarm.
NUMBERS = [
    *(f"CIS 4.{number}" for number in (1, 3, 6, 7, 8, 9, 10, 11)),
    *(f"CIS 5.{number}" for number in (4, 5, 6, 8, *range(9, 19), 20, 21, 22, 26, 27, 29, 30, 31, 32)),
    *(f"OWASP {number}" for number in (*range(9), 10, 12, 13)),
]


@pytest.mark.parametrize(("one", "who"), cases(container_rules.RULES, containers.subjects()))
def test_a_container_keeps_the_rule(one: Rule, who: str) -> None:
    """Services as Compose starts them, stages as the operator does, for every pipeline that is shipped."""
    judged(one, who, containers.breach_of(one, who))


@pytest.mark.parametrize(("one", "who"), cases(dockerfiles.RULES, dockerfiles.subjects()))
def test_a_dockerfile_keeps_the_rule(one: Rule, who: str) -> None:
    """Every Dockerfile of the repository."""
    judged(one, who, one.breach(dockerfiles.dockerfile(who)))


@pytest.mark.integration
@pytest.mark.parametrize(("one", "who"), cases(images.RULES, images.subjects()))
def test_an_image_keeps_the_rule(one: Rule, who: str) -> None:
    """Every image of docker-compose.yml, as it is here."""
    judged(one, who, one.breach(images.image(who)))


def test_every_number_has_its_rule() -> None:
    """No rule is lost on the way."""
    told = {number for rules in SUBJECTS.values() for one in rules for number in one.ids}

    assert [number for number in NUMBERS if number not in told] == []


@pytest.mark.parametrize("exception", config().exceptions, ids=lambda one: f"{one.what} {', '.join(one.who)}")
def test_an_exception_is_from_a_rule_that_is_there(exception: object) -> None:
    """Each names rules and subjects that are there, so that none outlives what it speaks of."""
    one = next(known for known in config().exceptions if known is exception)
    if one.check is Check.rules and not one.what.startswith("PostgreSQL"):
        assert one.who
        for who in one.who:
            assert any(one.what in rule.ids for rule in SUBJECTS.get(who, [])), f"{one.what} of {who}"


def test_owasp_9_every_image_is_scanned() -> None:
    """What Compose starts, and every Dockerfile in git, is what make scan and make sbom look at."""
    known = {image.reference for image in images_of(compose(), ROOT)}
    tracked = subprocess.run(
        ["git", "ls-files", "*Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {service["image"] for service in compose()["services"].values()} == known
    assert tracked
    assert set(tracked) <= {str(file.relative_to(ROOT)) for file in dockerfiles_of(ROOT)}


@pytest.mark.integration
def test_owasp_0_the_engine_is_as_new_as_setup_wants_it() -> None:
    """An older Engine has no sub-paths of volumes, and setup/engine.sh refuses it."""
    (wanted,) = re.findall(r"^readonly wanted_engine=(\d+)$", (ROOT / "setup" / "engine.sh").read_text(), re.MULTILINE)

    assert int(docker("version", "--format", "{{.Server.Version}}").partition(".")[0]) >= int(wanted) >= 26


def test_owasp_10_the_engine_logs_as_it_does_by_itself() -> None:
    """setup/engine.sh starts an Engine with its own level of logging, which is info."""
    text = (ROOT / "setup" / "engine.sh").read_text()

    assert "dockerd" in text
    assert [word for word in ("--log-level", "--debug") if word in text] == []
