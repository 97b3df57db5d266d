"""Debian's packages: an update is found by the image's own apt, and an archive that does not answer is no pass."""

import os
from collections.abc import Iterator

import pytest

from etl_scan import Finding, Image, Severity
from etl_scan._debian import Update, check_debian, updates_in
from etl_scan._findings import Check
from tests._engine import OURS, docker
from tests.setup.project import base_image

# A package that is installed as version 1, and an archive of the image's own that has version 2.
ARCHIVE = r"""
FROM {base}
RUN mkdir -p /srv/build/DEBIAN /srv/archive && cd /srv/archive \
    && for version in 1 2; do \
        printf 'Package: etl-weak\nVersion: %s\nArchitecture: all\nMaintainer: me <a@example.org>\nDescription: w\n' \
            $version >/srv/build/DEBIAN/control && dpkg-deb --build /srv/build etl-weak_$version.deb || exit 1; \
    done \
    && dpkg --install etl-weak_1.deb \
    && cp /srv/build/DEBIAN/control Packages \
    && printf 'Filename: ./etl-weak_2.deb\nSize: %s\nSHA256: %s\n' \
        "$(stat -c %s etl-weak_2.deb)" "$(sha256sum etl-weak_2.deb | cut -c -64)" >>Packages \
    && printf 'Label: {label}\nSuite: stable-security\nVersion: 13\nDate: %s\nSHA256:\n %s %s Packages\n' \
        "$(date -uR)" "$(sha256sum Packages | cut -c -64)" "$(stat -c %s Packages)" >Release \
    && rm -rf /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] {source} ./' >/etc/apt/sources.list
"""
# A package that wants one which nobody has: with it, apt plans nothing.
BROKEN = r"""
RUN printf 'Package: etl-broken\nVersion: 1\nArchitecture: all\nMaintainer: me <a@example.org>\n\
Depends: etl-nowhere\nDescription: b\n' >/srv/build/DEBIAN/control \
    && dpkg-deb --build /srv/build /srv/broken.deb && dpkg --force-depends --install /srv/broken.deb
"""
SIMULATED = """\
NOTE: This is only a simulation!
Inst libssl3t64 [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
Inst base-files [13.8] (13.8+deb13u1 Debian:13.1/stable, Debian:13-updates/stable-updates [amd64])
Inst libpq5 [17.6-1.pgdg13+1] (17.7-1.pgdg13+1 PostgreSQL for Debian/Ubuntu repository:trixie-pgdg [amd64]) []
Inst something-new (1.0 Debian:13.1/stable [all])
Conf libssl3t64 (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
""".splitlines()


def test_what_apt_would_do_is_read() -> None:
    """Urgent is what has come through the security suite, and what another archive has that knows no such suite."""
    updates = updates_in(SIMULATED)

    assert [(update.package, update.severity) for update in updates] == [
        ("libssl3t64", Severity.high),
        ("base-files", Severity.low),
        ("libpq5", Severity.high),
    ]
    assert updates[0] == Update("libssl3t64", "3.5.1-1", "3.5.1-1+deb13u1", "Debian-Security:13/stable-security")


@pytest.fixture(scope="module")
def built() -> Iterator[dict[str, Image]]:
    """Build an image with an update, and those that cannot tell of theirs, each for a reason of its own."""
    recipes = {
        "weak": ("Debian-Security", "file:/srv/archive", ""),
        "unwatched": ("Debian", "file:/srv/archive", ""),
        "silent": ("Debian-Security", "http://127.0.0.1:9", ""),
        "broken": ("Debian-Security", "file:/srv/archive", BROKEN),
    }
    images = {name: Image(name, f"{OURS}-scan-{name}:{os.getpid()}") for name in recipes}
    try:
        for name, (label, source, more) in recipes.items():
            recipe = ARCHIVE.replace("{base}", base_image()).replace("{label}", label).replace("{source}", source)
            recipe += more
            docker("build", "--tag", images[name].reference, "-", stdin=recipe.encode(), timeout=300)
        yield images
    finally:
        docker("image", "rm", "--force", *(image.reference for image in images.values()))


@pytest.mark.integration
def test_an_update_is_found(built: dict[str, Image]) -> None:
    """By apt in the image, which stays as it was: images that are alike are asked once."""
    before = built["weak"].id
    alike = [built["weak"], built["weak"]._replace(name="twin")]
    outcome = check_debian(alike)

    assert outcome.troubles == ()
    assert outcome.findings == (
        Finding(
            Check.debian,
            who="etl-weak",
            what="2",
            severity=Severity.high,
            where="1 in weak, twin",
            fixed_in="2",
            title="an update is there: Debian-Security:13/stable-security",
        ),
    )
    assert built["weak"].id == before
    assert built["weak"].sh("dpkg-query --show etl-weak").decode() == "etl-weak\t1\n"


@pytest.mark.integration
def test_an_image_without_a_security_suite_is_no_pass(built: dict[str, Image]) -> None:
    """Nobody would tell it of anything."""
    outcome = check_debian([built["unwatched"]])

    assert outcome.findings == ()
    assert outcome.troubles == (
        "unwatched: Debian's archives could not be asked: its sources name no security suite that answers",
    )


@pytest.mark.integration
def test_an_archive_that_does_not_answer_is_no_pass(built: dict[str, Image]) -> None:
    """apt-get update alone calls that a warning."""
    (trouble,) = check_debian([built["silent"]]).troubles

    assert trouble.startswith("silent: Debian's archives could not be asked: docker: ")


@pytest.mark.integration
def test_an_apt_that_fails_is_no_pass(built: dict[str, Image]) -> None:
    """It says of no update, though there is one."""
    outcome = check_debian([built["broken"]])

    (trouble,) = outcome.troubles
    assert trouble.startswith("broken: Debian's archives could not be asked: docker: E: Unmet dependencies.")
    assert outcome.findings == ()


@pytest.mark.integration
def test_an_image_that_is_not_there_is_no_pass() -> None:
    """It says how it is built."""
    outcome = check_debian([Image("nothing", "etl-platform/nothing:never")])

    assert outcome.troubles == ("etl-platform/nothing:never is not here; to build it: docker compose build",)
