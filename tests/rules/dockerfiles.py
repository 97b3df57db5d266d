"""The rules about Dockerfiles: CIS Docker 4, and OWASP's."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from etl_scan._dockerfiles import dockerfiles_of
from tests.rules.rules import ROOT, Rule, rule, secret_in

RULES: list[Rule] = []


class Instruction(NamedTuple):
    """A line of a Dockerfile, with its continuations: its word, the rest."""

    word: str
    rest: str


class Dockerfile(NamedTuple):
    """A Dockerfile: each of its build stages as its instructions."""

    path: str
    arguments: tuple[Instruction, ...]
    stages: tuple[tuple[Instruction, ...], ...]

    def every(self, *words: str) -> list[str]:
        """Give the rest of every instruction of these words."""
        lines = [*self.arguments, *(line for stage in self.stages for line in stage)]
        return [line.rest for line in lines if line.word in words]

    @property
    def commands(self) -> list[str]:
        """Give every command that a RUN executes."""
        return [part.strip() for rest in self.every("RUN") for part in re.split(r"&&|;|\|\|", rest)]


def subjects() -> list[str]:
    """Name every Dockerfile."""
    return [str(file.relative_to(ROOT)) for file in dockerfiles_of(ROOT)]


@cache
def dockerfile(path: str) -> Dockerfile:
    """Read a Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / Path(path)).read_text(), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    arguments: list[Instruction] = []
    stages: list[list[Instruction]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word.upper() == "FROM":
            stages.append([])
        (stages[-1] if stages else arguments).append(Instruction(word.upper(), rest.strip()))
    return Dockerfile(path, tuple(arguments), tuple(map(tuple, stages)))


@rule("CIS 4.1", "OWASP 2", title="its last USER is a number, and not root's", among=RULES)
def _user(it: Dockerfile) -> str | None:
    users = [line.rest for line in it.stages[-1] if line.word == "USER"]
    return (
        None if users and re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]) else f"USER {users[-1:] or 'is not there'}"
    )


@rule("CIS 4.3", title="it installs what it names, and nothing that is only recommended", among=RULES)
def _recommended(it: Dockerfile) -> str | None:
    installs = [command for command in it.commands if re.match(r"apt(-get)? .*\binstall\b", command)]
    return next((command for command in installs if "--no-install-recommends" not in command), None)


@rule("CIS 4.7", title="it reads package lists where it installs", among=RULES)
def _update(it: Dockerfile) -> str | None:
    runs = [rest for rest in it.every("RUN") if re.search(r"apt(-get)? .*\bupdate\b", rest)]
    return next((rest for rest in runs if not re.search(r"apt(-get)? .*\binstall\b", rest)), None)


@rule("CIS 4.9", title="it copies, and adds nothing from elsewhere", among=RULES)
def _add(it: Dockerfile) -> str | None:
    return next((f"ADD {rest}" for rest in it.every("ADD")), None)


@rule("CIS 4.10", "OWASP 12", title="no secret stands in it, or is asked for as an argument", among=RULES)
def _secrets(it: Dockerfile) -> str | None:
    for rest in it.every("ARG", "ENV", "LABEL"):
        for name, value in re.findall(r"([\w.]+)(?:=(\S*))?", rest):
            if secret_in(name, value or "?"):
                return rest
    return next((rest for rest in it.every("RUN") if secret_in("", rest)), None)


@rule("CIS 4.11", "OWASP 13", title="what it installs is signed, or has the lock's checksum", among=RULES)
def _verified(it: Dockerfile) -> str | None:
    for command in it.commands:
        if re.search(r"--allow-unauthenticated|trusted=yes|--trusted-host|--insecure|--no-check-certificate", command):
            return command
        if re.search(r"\b(curl|wget)\b", command):
            return command
        if re.search(r"\buv sync\b", command) and not re.search(r"--(locked|frozen)\b", command):
            return command
        if re.search(r"\bpip install\b", command) and not re.search(r"==\d|--require-hashes", command):
            return command
    return None


@rule("OWASP 0", "OWASP 13", title="it begins with a base that is pinned outside, or stood in for", among=RULES)
def _base(it: Dockerfile) -> str | None:
    """Compose and the scripts give PYTHON_IMAGE, by its digest: tests/setup compares the two."""
    own = {
        line.rest.split()[-1] for stage in it.stages for line in stage if line.word == "FROM" and " AS " in line.rest
    }
    allowed = {"${PYTHON_IMAGE}", "etl-upstream/debian:trixie"} | own
    return next((rest for rest in it.every("FROM") if rest.split()[0] not in allowed), None)
