"""Runs `python -m etl_scan`: in the tools image, in the repository's root (setup/scan.sh, setup/sbom.sh)."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from etl_scan._config import Config, read_config
from etl_scan._debian import check_debian
from etl_scan._dockerfiles import check_dockerfiles
from etl_scan._errors import ScanError
from etl_scan._findings import Check, Outcome
from etl_scan._images import Image, compose_config, images_of
from etl_scan._judge import judge
from etl_scan._packages import packages_of
from etl_scan._python import check_python
from etl_scan._sbom import sbom
from etl_scan._table import as_json, as_text, table
from etl_scan._trivy import check_trivy

FOUND, UNKNOWN = 1, 2
ROOT = Path()
CONFIG = Path("config", "scan.yaml")
TRIVY = Path(".cache", "scan", "trivy")

_CHECKS: dict[Check, Callable[[tuple[Image, ...], Config], Outcome]] = {
    Check.python: lambda images, config: check_python(images, config, ROOT.resolve()),
    Check.debian: lambda images, _: check_debian(images),
    Check.dockerfiles: lambda *_: check_dockerfiles(ROOT.resolve()),
    Check.trivy: lambda images, _: check_trivy(TRIVY, [image.name for image in images]),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0 if all is well, 1 if something was found, 2 if something could not be known."""
    options = _parser().parse_args(arguments)
    try:
        images = images_of(compose_config(), ROOT)
        match options.command:
            case "scan":
                return _scan(options, images)
            case "sbom":
                return _sbom(options, images)
        print("\n".join(f"{image.name} {image.reference}" for image in images))
    except ScanError as error:
        sys.stderr.write(f"\nerror: {error}\n")
        return UNKNOWN
    return 0


def _scan(options: argparse.Namespace, images: tuple[Image, ...]) -> int:
    config = read_config(options.config)
    outcomes: list[Outcome] = []
    for check in options.checks or _CHECKS:
        try:
            outcomes.append(_CHECKS[check](images, config))
        except ScanError as error:
            outcomes.append(Outcome(check, "nothing", troubles=(str(error),)))
    verdict = judge(outcomes, config, datetime.now(UTC).date())
    print((as_json if options.json else as_text)(outcomes, verdict))
    if verdict.failing:
        return FOUND
    return 0 if verdict.passed(outcomes) else UNKNOWN


def _sbom(options: argparse.Namespace, images: tuple[Image, ...]) -> int:
    unknown = set(options.images) - {image.name for image in images}
    if unknown:
        raise ScanError(
            f"there is no image {', '.join(sorted(unknown))}; there are {', '.join(one.name for one in images)}"
        )
    options.into.mkdir(parents=True, exist_ok=True)
    rows = [("image", "Debian", "Python", "without licence", "file")]
    for image in images:
        if options.images and image.name not in options.images:
            continue
        system = packages_of(image)
        file = options.into / f"{image.name}.cdx.json"
        file.write_text(f"{sbom(image, system)}\n", "utf-8")
        kinds = [package.purl.type for package in system.packages]
        without = sum(not package.licences for package in system.packages)
        rows.append((image.name, str(kinds.count("deb")), str(kinds.count("pypi")), str(without), str(file)))
    print("\n".join(table(rows)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etl_scan", description="Looks for known holes, and lists packages.")
    commands = parser.add_subparsers(dest="command", required=True)
    scan = commands.add_parser("scan", help="look for known holes in all images and Dockerfiles")
    scan.add_argument("checks", nargs="*", type=Check, help="only these checks")
    scan.add_argument("--json", action="store_true", help="print one JSON document")
    scan.add_argument("--config", type=Path, default=CONFIG, help=f"instead of {CONFIG}")
    commands.add_parser("images", help="list all images: name, reference")
    bill = commands.add_parser("sbom", help="write a CycloneDX file for each image")
    bill.add_argument("images", nargs="*", help="only these images")
    bill.add_argument("--into", type=Path, default=Path(".cache", "sbom"), help="the folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
