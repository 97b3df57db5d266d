"""Writes what an image is made of as CycloneDX 1.6."""

from collections.abc import Iterable

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from etl_scan._images import Image
from etl_scan._packages import Package, System

_licences = LicenseFactory()


def sbom(image: Image, system: System) -> str:
    """Give the SBOM of an image as JSON: the image, its distribution, and each package with its purl and licence."""
    name, _, version = image.reference.partition(":")
    root = Component(
        name=name,
        version=version or None,
        type=ComponentType.CONTAINER,
        bom_ref=image.reference,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=image.id.removeprefix("sha256:"))],
    )
    distribution = Component(name=system.name, version=system.version or None, type=ComponentType.OPERATING_SYSTEM)
    components = [distribution, *(_component(package) for package in system.packages)]
    bom = Bom(components=components)
    bom.metadata.component = root
    bom.register_dependency(root, components)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def _component(package: Package) -> Component:
    source = [Property(name="debian:source", value=package.source)] if package.source else []
    return Component(
        name=package.name,
        version=package.version,
        purl=package.purl,
        bom_ref=package.purl.to_string(),
        licenses=_known(package.licences),
        properties=source,
    )


def _known(licences: Iterable[str]) -> list[License]:
    """Give each by its SPDX id or expression if it has one; an expression stands alone, as the format wants it."""
    known = [_licences.make_from_string(licence) for licence in licences]
    if len(known) > 1:
        return [_licences.make_with_name(one.value) if isinstance(one, LicenseExpression) else one for one in known]
    return known
