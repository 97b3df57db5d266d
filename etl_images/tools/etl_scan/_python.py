"""Asks an advisory service about every Python package that the lock puts into an image (pip-audit)."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from etl_scan._command import run
from etl_scan._config import Config
from etl_scan._errors import Unanswered
from etl_scan._findings import Check, Finding, Outcome, Severity
from etl_scan._images import Image

# A version with holes that every advisory service knows: one that tells none of them knows nothing.
KNOWN_TO_BE_BROKEN = "jinja2==2.11.2"
_EXPORT = ("uv", "export", "--frozen", "--offline", "--quiet", "--no-emit-workspace", "--no-hashes", "--no-header",
           "--no-annotate")  # fmt: skip

Answers = list[dict[str, Any]]
# Asks about the pins of images: gives an answer for each package.
Audit = Callable[[dict[str, list[str]], Config, Path], Answers]


def audit(pins: dict[str, list[str]], config: Config, root: Path) -> Answers:
    """Ask the service of config/scan.yaml, by pip-audit.

    Raises:
        Unanswered: it said nothing that can be read.
    """
    with TemporaryDirectory() as folder:
        files: list[str] = []
        for name, lines in pins.items():
            file = Path(folder, f"{name}.txt")
            file.write_text("\n".join(lines) + "\n")
            files += ["--requirement", str(file)]
        url = ("--osv-url", config.advisories.url) if config.advisories.url else ()
        said = run(
            *("pip-audit", "--disable-pip", "--no-deps", "--format=json", "--progress-spinner=off", *files),
            *("--vulnerability-service", config.advisories.service, *url),
            *("--cache-dir", str(root / ".cache" / "pip-audit")),
            may_fail=True,  # as it does when it finds something
            seconds=900,
            env=_trusting(os.environ),
        )
    try:
        answers: Answers = json.loads(said)["dependencies"]
    except (ValueError, KeyError) as error:
        raise Unanswered("pip-audit printed no report") from error
    return answers


def _trusting(environment: Mapping[str, str]) -> dict[str, str]:
    """Let pip-audit trust what the image does: behind a proxy that inspects TLS, nobody would answer otherwise."""
    trusted = environment.get("SSL_CERT_FILE")
    return {**environment, **({"REQUESTS_CA_BUNDLE": trusted} if trusted else {})}


def check_python(images: Iterable[Image], config: Config, root: Path, ask: Audit = audit) -> Outcome:
    """Look up the exact versions of each image, and those of the tools image.

    The advisories name no severity, so that each counts as high.
    """
    pins = {
        image.name: _pins("--no-dev", "--all-extras", "--package", image.member) for image in images if image.member
    }
    pins["tools"] = _pins("--group", "dev")
    users: dict[str, set[str]] = defaultdict(set)
    for name, lines in pins.items():
        for line in lines:
            users[line.partition("==")[0]].add(name)
    scope = f"{len(users)} packages in {len(pins)} images"
    if trouble := _silence(config, root, ask):
        return Outcome(Check.python, scope, troubles=(trouble,))
    try:
        answers = ask(pins, config, root)
    except Unanswered as error:
        return Outcome(Check.python, scope, troubles=(f"not all packages could be looked up: {error}",))
    troubles = tuple(str(answer["skip_reason"]) for answer in answers if "skip_reason" in answer)
    unasked = set(users) - {canonicalize_name(answer["name"]) for answer in answers}
    if unasked:
        troubles += (f"the service was not asked about {', '.join(sorted(unasked))}",)
    return Outcome(Check.python, scope, tuple(_findings(answers, users)), troubles)


def _pins(*which: str) -> list[str]:
    """Give each package as `name==version`; the tools image is as ours are, so that a condition says the same here."""
    exported = (Requirement(line) for line in run(*_EXPORT, *which).decode().splitlines())
    return [
        f"{canonicalize_name(one.name)}{one.specifier}" for one in exported if not one.marker or one.marker.evaluate()
    ]


def _silence(config: Config, root: Path, ask: Audit) -> str | None:
    """Ask about a version that is known to be broken; say what is wrong with the service, if anything is."""
    service = f"the advisory service '{config.advisories.service}'"
    try:
        (answer,) = ask({"known": [KNOWN_TO_BE_BROKEN]}, config, root)
    except Unanswered as error:
        return f"{service} does not answer, so that nothing is known about any package: {error}"
    if answer.get("vulns"):
        return None
    said = answer.get("skip_reason") or "it knows no hole in it"
    told = f"of {KNOWN_TO_BE_BROKEN} it says '{said}'"
    return f"{service} cannot be relied on, so that nothing is known about any package: {told}"


def _findings(answers: Answers, users: dict[str, set[str]]) -> Iterable[Finding]:
    for answer in answers:
        for hole in answer.get("vulns", []):
            yield Finding(
                Check.python,
                who=answer["name"],
                what=hole["id"],
                severity=Severity.high,
                where=f"{answer['version']} in {', '.join(sorted(users[canonicalize_name(answer['name'])]))}",
                fixed_in=", ".join(hole["fix_versions"]),
                title=hole.get("description", "").strip(),
                aliases=tuple(hole.get("aliases", [])),
            )
