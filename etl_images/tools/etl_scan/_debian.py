"""Asks Debian's archives, from inside each image, which of its packages have an update."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from etl_scan._errors import Unanswered
from etl_scan._findings import Check, Finding, Outcome, Severity
from etl_scan._images import Image

# Two images with the same packages and sources have the same updates: only one of them is asked.
_SAME = "cat /var/lib/dpkg/status /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sha256sum"
# Lists go into memory and nothing is installed. An archive that does not answer is an error, not a warning.
_ASK = """
apt-get update -qq -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any >&2
apt-get indextargets --format 'archive $(LABEL)' 'Created-By: Packages' | sort -u
apt-get dist-upgrade --simulate -o Debug::NoLocking=1
"""
_MEMORY = ("--user=0:0", "--network=bridge", "--tmpfs=/var/lib/apt/lists", "--tmpfs=/var/cache/apt", "--tmpfs=/tmp")
_UPDATE = re.compile(r"^Inst (?P<package>\S+) \[(?P<now>[^]]+)\] \((?P<new>\S+) (?P<origins>.+) \[\w+\]\)")
_SECURITY = "archive Debian-Security"


class Update(NamedTuple):
    """A package that an archive has newer."""

    package: str
    now: str
    new: str
    origins: str

    @property
    def severity(self) -> Severity:
        """Call it low where it comes from Debian's main archive alone: what is urgent has the security suite."""
        return Severity.low if all(one.startswith("Debian:") for one in self.origins.split(", ")) else Severity.high


def check_debian(images: Iterable[Image]) -> Outcome:
    """Find the updates of all images; say of each that could not be asked why."""
    alike: dict[str, list[Image]] = defaultdict(list)
    troubles: list[str] = []
    count = 0
    for image in images:
        count += 1
        try:
            image.id  # noqa: B018 - says plainly if it is not here
            alike[image.sh(_SAME, "--user=0:0").decode()].append(image)
        except Unanswered as error:
            troubles.append(str(error))
    users: dict[Update, list[str]] = defaultdict(list)
    for group in alike.values():
        names = [image.name for image in group]
        try:
            for update in _updates(group[0]):
                users[update] += names
        except Unanswered as error:
            troubles.append(f"{', '.join(names)}: Debian's archives could not be asked: {error}")
    findings = (
        Finding(
            Check.debian,
            who=update.package,
            what=update.new,
            severity=update.severity,
            where=f"{update.now} in {', '.join(names)}",
            fixed_in=update.new,
            title=f"an update is there: {update.origins}",
        )
        for update, names in users.items()
    )
    return Outcome(Check.debian, f"{count} images", tuple(findings), tuple(troubles))


def _updates(image: Image) -> list[Update]:
    said = image.sh(f"set -e{_ASK}", *_MEMORY, seconds=600).decode().splitlines()
    if _SECURITY not in said:
        raise Unanswered("its sources name no security suite that answers")
    return updates_in(said)


def updates_in(lines: Iterable[str]) -> list[Update]:
    """Read what apt would install in place of an older version."""
    return [Update(**match.groupdict()) for line in lines if (match := _UPDATE.match(line))]
