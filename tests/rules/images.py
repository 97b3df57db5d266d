"""The rules about images as they are built: CIS Docker 4, and OWASP's."""

import json
import re
from functools import cache
from typing import Any

from etl_scan import Image, images_of, packages_of
from etl_scan._images import compose_config
from tests.rules.rules import ROOT, Rule, compose, docker, rule, secret_in

RULES: list[Rule] = []
_SETS = re.compile(r"(\w+)=(\S+)")
# What nobody needs who runs one program, and everybody who broke into one.
_NEEDLESS = re.compile(
    r"^(gcc|g\+\+|clang|make|cmake|git|curl|wget|sudo|doas|telnet|nmap|tcpdump|strace|gdb|vim|nano|emacs"
    r"|ssh|rsync|socat|netcat|ftp|nodejs|ruby|php|openjdk)"
    r"(-\d+|-nox|-tiny|-openbsd|-traditional)?$|^openssh-|^build-essential$|^linux-headers|^python3?-dev$"
)


def subjects() -> list[str]:
    """Name every image that Compose names."""
    return [f"image {image.name}" for image in images_of(compose(), ROOT)]


@cache
def image(who: str) -> Image:
    """Give an image as it is here, under the tag that is tested."""
    return {f"image {one.name}": one for one in images_of(compose_config(root=ROOT), ROOT)}[who]


@cache
def _settings(it: Image) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(docker("image", "inspect", it.reference))[0]["Config"]
    return settings


@rule("CIS 4.1", "OWASP 2", title="it has a user that is not root", among=RULES)
def _user(it: Image) -> str | None:
    user = _settings(it)["User"]
    return None if re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) else f"its user is '{user}'"


@rule("CIS 4.3", title="it has no compiler, no client for downloads, no shell for others", among=RULES)
def _needless(it: Image) -> str | None:
    debian = [package.name for package in packages_of(it).packages if package.purl.type == "deb"]
    assert len(debian) > 50
    found = [name for name in debian if _NEEDLESS.match(name)]
    return f"it has {', '.join(found)}" if found else None


@rule("CIS 4.6", title="it says how its health is asked", among=RULES)
def _health(it: Image) -> str | None:
    return None if (_settings(it).get("Healthcheck") or {}).get("Test") else "it has no HEALTHCHECK"


@rule("CIS 4.8", title="no file in it makes its user another one", among=RULES)
def _setuid(it: Image) -> str | None:
    found = it.sh("find / -xdev -perm /6000 -type f", "--user=0:0", "--cap-add=DAC_READ_SEARCH").decode().split()
    return f"it has {' '.join(found)}" if found else None


@rule("CIS 4.10", "OWASP 12", title="no secret is in its settings or its history", among=RULES)
def _secrets(it: Image) -> str | None:
    for variable in _settings(it)["Env"]:
        name, _, value = variable.partition("=")
        if secret_in(name, value):
            return f"ENV {name}"
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", it.reference)
    assert history
    return next((f"{name} in its history" for name, value in _SETS.findall(history) if secret_in(name, value)), None)
