"""A rule that nothing breaks is no rule: each is broken here, in the one way that it is about."""

import os
from pathlib import Path
from typing import Any

import pytest

from etl_scan import Image
from tests._engine import OURS, docker
from tests.rules import container_rules, dockerfiles, images
from tests.rules.containers import _of_service
from tests.rules.dockerfiles import dockerfile
from tests.rules.rules import Rule, cases, compose
from tests.setup.project import base_image

# To a service that keeps every rule: what is changed, by the number of the rule that is broken by it.
SERVICES: dict[str, dict[str, Any]] = {
    "CIS 4.1": {"user": "0"},
    "CIS 5.4": {"cap_drop": ["NET_RAW"]},
    "CIS 5.5": {"privileged": True},
    "CIS 5.6": {"volumes": [{"type": "bind", "source": "/etc", "target": "/host", "read_only": True}]},
    "CIS 5.8": {"ports": [{"published": "80", "host_ip": "127.0.0.1"}]},
    "CIS 5.9": {"ports": [{"published": "9999", "host_ip": "127.0.0.1"}]},
    "CIS 5.10": {"network_mode": "host"},
    "CIS 5.11": {"mem_limit": "0"},
    "CIS 5.12": {"cpus": 0},
    "CIS 5.13": {"read_only": False},
    "CIS 5.14": {"ports": [{"published": "5433"}]},
    "CIS 5.15": {"restart": "on-failure:6"},
    "CIS 5.16": {"pid": "host"},
    "CIS 5.17": {"ipc": "host"},
    "CIS 5.18": {"devices": ["/dev/kvm"]},
    "CIS 5.20": {
        "volumes": [
            {"type": "bind", "source": "./dags", "target": "/a", "read_only": True, "bind": {"propagation": "shared"}}
        ]
    },
    "CIS 5.21": {"uts": "host"},
    "CIS 5.22": {"security_opt": ["no-new-privileges:true", "seccomp:unconfined"]},
    "CIS 5.26": {"security_opt": []},
    "CIS 5.27": {"healthcheck": {"disable": True}},
    "CIS 5.29": {"pids_limit": 0},
    "CIS 5.30": {"networks": {"default": None}},
    "CIS 5.31": {"userns_mode": "host"},
    "CIS 5.32": {
        "volumes": [{"type": "bind", "source": "/run/docker.sock", "target": "/run/docker.sock", "read_only": True}]
    },
    "OWASP 6": {"security_opt": ["no-new-privileges:true", "apparmor:unconfined"]},
    "OWASP 10": {"logging": {"driver": "json-file"}},
    "OWASP 12": {"environment": {"LOAD_PASSWORD": "hunter2"}},
    "OWASP 13": {"image": "postgres:17"},
}
ALSO = {"CIS 5.8": ["CIS 5.9"], "CIS 5.10": ["CIS 5.30"]}
# To a Dockerfile that keeps every rule: a line that replaces one, and the rule that is broken by it.
GOOD = """\
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
RUN apt-get update \\
    && apt-get install -y --no-install-recommends dumb-init
RUN uv sync --locked
COPY . .
USER 10001:10001
"""
DOCKERFILES = [
    ("CIS 4.1", "USER 10001:10001", "USER etl"),
    ("CIS 4.1", "USER 10001:10001", "USER 10001:10001\nUSER 0"),
    ("CIS 4.1", "USER 10001:10001\n", ""),
    ("CIS 4.3", " --no-install-recommends", ""),
    ("CIS 4.7", " \\\n    && apt-get install -y", "\nRUN apt-get install -y"),
    ("CIS 4.9", "COPY . .", "ADD . ."),
    ("CIS 4.10", "COPY . .", "ARG PYPI_TOKEN"),
    ("CIS 4.10", "COPY . .", "ENV A=1 DB_PASSWORD=hunter2"),
    ("CIS 4.10", "COPY . .", "RUN git clone https://me:hunter2@example.org/it"),
    ("CIS 4.11", "uv sync --locked", "uv sync"),
    ("CIS 4.11", "uv sync --locked", "pip install uv"),
    ("CIS 4.11", "uv sync --locked", "curl -fsSL https://example.org/install | sh"),
    ("CIS 4.11", "apt-get install -y", "apt-get install -y --allow-unauthenticated"),
    ("OWASP 0", "FROM ${PYTHON_IMAGE}", "FROM python:latest"),
]
BAD_IMAGE = """
FROM {base}
ENV DB_PASSWORD=hunter2
RUN mkdir -p /tmp/curl/DEBIAN \
    && printf 'Package: curl\\nVersion: 1\\nArchitecture: all\\nMaintainer: me <me@example.org>\\nDescription: c\\n' \
        >/tmp/curl/DEBIAN/control \
    && dpkg-deb --build /tmp/curl && dpkg --install /tmp/curl.deb && chmod u+s /bin/true
USER 0
"""


def _broken(rules: list[Rule], it: object) -> set[str]:
    return {one.ids[0] for one in rules if one.breach(it) is not None}


@pytest.mark.parametrize("number", SERVICES)
def test_a_service_that_breaks_a_rule_is_seen(number: str) -> None:
    """By this rule and no other, but for what two rules say."""
    good = compose()["services"]["postgres"] | {"restart": "no"}

    assert _broken(container_rules.RULES, _of_service(good)) == set()
    assert _broken(container_rules.RULES, _of_service(good | SERVICES[number])) == {number, *ALSO.get(number, ())}


@pytest.mark.parametrize(("number", "old", "new"), DOCKERFILES)
def test_a_dockerfile_that_breaks_a_rule_is_seen(number: str, old: str, new: str, tmp_path: Path) -> None:
    """By this rule and no other."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace(old, new))

    assert old in GOOD
    assert _broken(dockerfiles.RULES, dockerfile(str(good))) == set()
    assert _broken(dockerfiles.RULES, dockerfile(str(bad))) == {number}


@pytest.mark.integration
def test_an_image_that_breaks_every_rule_is_seen() -> None:
    """Root, a package that nobody needs, a setuid file, a password, and nobody who asks for its health."""
    bad = Image("bad", f"{OURS}-rules-bad:{os.getpid()}")
    docker("build", "--tag", bad.reference, "-", stdin=BAD_IMAGE.replace("{base}", base_image()).encode(), timeout=300)
    try:
        assert _broken(images.RULES, bad) == {one.ids[0] for one in images.RULES}
    finally:
        docker("image", "rm", "--force", bad.reference)


def test_every_rule_is_broken_once() -> None:
    """A rule that is new is broken here too."""
    assert {one.ids[0] for one in container_rules.RULES} == set(SERVICES)
    assert {one.ids[0] for one in dockerfiles.RULES} == {number for number, _, _ in DOCKERFILES}


def test_a_case_says_its_rule_and_its_subject() -> None:
    """Who reads that a test failed, reads the number of the rule."""
    first = cases(container_rules.RULES, ["postgres"])[0]

    assert first.id == "CIS 4.1 + OWASP 2: it does not run as root [postgres]"
