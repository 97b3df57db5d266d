"""Reads from an image which packages are in it: Debian's, and Python's."""

import io
import logging
import re
import tarfile
from collections.abc import Iterator
from email.parser import HeaderParser
from functools import cache
from typing import NamedTuple, cast

from debian.copyright import Copyright, License, NotMachineReadableError
from debian.deb822 import Deb822
from packageurl import PackageURL

from etl_scan._errors import Unanswered
from etl_scan._images import Image

# What tells of packages, and nothing else. Links are followed: packages share folders of documents.
_PACK = """
cd / && {
    echo usr/lib/os-release
    echo var/lib/dpkg/status
    find -L usr/share/doc -mindepth 2 -maxdepth 2 -name copyright
    find opt usr home root srv -xdev -path '*.dist-info/METADATA' 2>/dev/null
} | tar --create --dereference --files-from=-
"""
_CLASSIFIER = re.compile(r"^License :: (?:OSI Approved :: )?(.+)$")
# A copyright file that names its format by an older address is read all the same.
logging.getLogger("debian.copyright").setLevel(logging.ERROR)


class Package(NamedTuple):
    """A package: its name, version, address in the world (purl), licences as it names them, and its source's name."""

    name: str
    version: str
    purl: PackageURL
    licences: tuple[str, ...] = ()
    source: str | None = None


class System(NamedTuple):
    """What an image is made of: its distribution, and every package in it."""

    name: str
    version: str
    packages: tuple[Package, ...]


def packages_of(image: Image) -> System:
    """Read the packages of an image, without running anything that is its own."""
    image.id  # noqa: B018 - says plainly if it is not here
    packed = image.sh(_PACK, "--user=65534:65534")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {
            member.name: file.read().decode("utf-8", "replace")
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }
    if "var/lib/dpkg/status" not in files:
        raise Unanswered(f"{image.reference} has no list of Debian packages")
    about = dict(line.split("=", 1) for line in files["usr/lib/os-release"].splitlines() if "=" in line)
    name, version = about["ID"].strip('"'), about.get("VERSION_ID", "").strip('"')
    found = [*_debian(files, f"{name}-{version}"), *_python(files)]
    return System(name, version, tuple(sorted(set(found))))


def _debian(files: dict[str, str], distribution: str) -> Iterator[Package]:
    for paragraph in Deb822.iter_paragraphs(files["var/lib/dpkg/status"], use_apt_pkg=False):
        if paragraph["Status"].split()[-1] != "installed":
            continue
        name, version = paragraph["Package"], paragraph["Version"]
        where = {"arch": paragraph["Architecture"], "distro": distribution}
        yield Package(
            name,
            version,
            PackageURL("deb", "debian", name, version, qualifiers=where),
            debian_licences(files.get(f"usr/share/doc/{name}/copyright", "")),
            paragraph.get("Source", name).partition(" ")[0],
        )


def _python(files: dict[str, str]) -> Iterator[Package]:
    for path, text in files.items():
        if path.endswith(".dist-info/METADATA"):
            head = HeaderParser().parsestr(text)
            name, version = str(head["Name"]), str(head["Version"])
            yield Package(
                name,
                version,
                PackageURL("pypi", None, re.sub(r"[-_.]+", "-", name).lower(), version),
                python_licences(text),
            )


@cache
def debian_licences(copyright_file: str) -> tuple[str, ...]:
    """Give the licences of a copyright file that machines can read; of another, none."""
    try:
        known = Copyright(copyright_file.splitlines(), strict=False)
    except (NotMachineReadableError, ValueError):
        return ()
    licences = (cast("License | None", paragraph.license) for paragraph in known.all_files_paragraphs())
    return tuple(sorted({licence.synopsis.strip() for licence in licences if licence and licence.synopsis.strip()}))


@cache
def python_licences(metadata: str) -> tuple[str, ...]:
    """Give the licences that a distribution declares: its expression, else its classifiers, else its words if few."""
    head = HeaderParser().parsestr(metadata)
    if expression := head["License-Expression"]:
        return (str(expression),)
    classifiers = (_CLASSIFIER.match(str(line)) for line in head.get_all("Classifier") or [])
    if named := tuple(sorted({match[1] for match in classifiers if match})):
        return named
    words = str(head["License"] or "").strip()
    return (words,) if words and "\n" not in words and words != "UNKNOWN" else ()
