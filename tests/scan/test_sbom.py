"""The list of what each image is made of: valid CycloneDX, and true."""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from etl_scan import Image, images_of, packages_of, sbom
from etl_scan._images import compose_config
from etl_scan._packages import debian_licences, python_licences
from tests._engine import docker
from tests.rules.rules import compose

ROOT = Path(__file__).parents[2]
LOCKED = {package["name"]: package["version"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
NAMES = [image.name for image in images_of(compose(), ROOT)]
ON_PYTHON = [name for name in NAMES if name != "postgres"]
FORMAT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
OURS = {
    "airflow": "apache-airflow",
    "extract": "httpx",
    "transform": "pandas",
    "load": "psycopg",
    "visualize": "altair",
}

pytestmark = pytest.mark.integration


@cache
def _image(name: str) -> Image:
    return next(image for image in images_of(compose_config(), ROOT) if image.name == name)


@cache
def _written(name: str) -> str:
    return sbom(_image(name), packages_of(_image(name)))


def _components(name: str, kind: str) -> dict[str, dict[str, Any]]:
    components = json.loads(_written(name))["components"]
    return {one["name"]: one for one in components if one.get("purl", "").startswith(f"pkg:{kind}/")}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid(name: str) -> None:
    """By the schema of CycloneDX 1.6, where nothing unknown is allowed."""
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(_written(name))

    assert errors is None


@pytest.mark.parametrize("name", NAMES)
def test_it_says_which_image_it_is_about(name: str) -> None:
    """By its name and tag, and by the id under which the Engine knows it."""
    about = json.loads(_written(name))["metadata"]["component"]

    assert about["type"] == "container"
    assert f"{about['name']}:{about['version']}" == _image(name).reference
    assert about["hashes"] == [{"alg": "SHA-256", "content": _image(name).id.removeprefix("sha256:")}]


@pytest.mark.parametrize("name", NAMES)
def test_it_has_every_package_of_debian(name: str) -> None:
    """As dpkg in the image lists them, with the version and what distribution they are of."""
    told = docker("run", "--rm", "--network=none", "--entrypoint=dpkg-query", _image(name).reference,
                  "--show", "--showformat=${Package} ${Version}\n")  # fmt: skip
    components = _components(name, "deb")

    assert sorted(f"{one['name']} {one['version']}" for one in components.values()) == sorted(told.splitlines())
    assert all("distro=debian-13" in one["purl"] for one in components.values())


@pytest.mark.parametrize("name", ON_PYTHON)
def test_it_has_the_packages_of_python_as_they_are_locked(name: str) -> None:
    """What was installed is what the lock says, and nothing else."""
    found = {
        one["purl"].removeprefix("pkg:pypi/").split("@")[0]: one["version"]
        for one in _components(name, "pypi").values()
    }
    found.pop("pip", None)  # the official image of Python brings its own

    assert found
    assert {package: version for package, version in found.items() if LOCKED.get(package) != version} == {}
    assert OURS.get(name, next(iter(found))) in found


@pytest.mark.parametrize("name", NAMES)
def test_most_licences_are_known(name: str) -> None:
    """Of more than three packages in four: what is left has a text that machines cannot read."""
    components = [*_components(name, "deb").values(), *_components(name, "pypi").values()]
    known = [one for one in components if one.get("licenses")]

    assert len(known) > 0.75 * len(components)


def test_licences_are_read() -> None:
    """Debian's copyright files, and what Python's distributions declare."""
    text = f"Format: {FORMAT}\n\nFiles: *\nCopyright: me\nLicense: GPL-2+\n"

    assert debian_licences(text) == ("GPL-2+",)
    assert debian_licences("This is free software.\n") == ()
    assert python_licences("Name: a\nLicense-Expression: MIT OR Apache-2.0\nLicense: see there\n\n") == (
        "MIT OR Apache-2.0",
    )
    assert python_licences("Name: a\nClassifier: License :: OSI Approved :: MIT License\n\n") == ("MIT License",)
    assert python_licences("Name: a\nLicense: BSD\n\n") == ("BSD",)
    assert python_licences("Name: a\n\n") == ()
