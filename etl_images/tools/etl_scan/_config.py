"""Reads config/scan.yaml: from where on a finding fails, and what is let pass, why and until when."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from etl_platform._problems import Problem, problems_of
from etl_platform._yaml import NotYaml, read_yaml
from etl_scan._errors import Misconfigured
from etl_scan._findings import Check, Severity


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Advisories(_Model):
    """Who is asked for known holes of Python packages."""

    service: Literal["pypi", "osv"] = Field(default="pypi", description="Whose list: PyPI's own, or OSV's.")
    url: str | None = Field(default=None, description="With `osv`: the address of a mirror of its API.")


class ScanException(_Model):
    """Something that is wrong and stays so for a while: what, with whom, why, and until when."""

    check: Check = Field(description="Which check finds it.")
    what: Annotated[str, Field(min_length=1)] = Field(description="Its name: that of an advisory, a rule, a version.")
    who: tuple[str, ...] = Field(default=(), description="Only with these; without it, everywhere.")
    reason: Annotated[str, Field(min_length=20)] = Field(description="Why it may stay, in a sentence.")
    until: date = Field(description="The last day on which it is let pass.")

    @field_validator("who", mode="before")
    @classmethod
    def _a_list(cls, who: object) -> object:
        return (who,) if isinstance(who, str) else who

    def covers(self, check: Check, who: str, *names: str) -> bool:
        """Tell whether it speaks of this, by one of its names."""
        return self.check is check and self.what in names and (not self.who or who in self.who)


class Config(_Model):
    """All of config/scan.yaml."""

    fails_from: Severity = Field(description="Findings as bad as this, or worse, fail the scan.")
    advisories: Advisories = Field(default=Advisories(), description="Who knows the holes of Python packages.")
    trivy: str = Field(description="Trivy's image, for machines that have no program of that name.")
    exceptions: tuple[ScanException, ...] = Field(default=(), description="What is let pass.")


def read_config(path: Path) -> Config:
    """Read it.

    Raises:
        Misconfigured: holds every problem of the file, with its line.
    """
    try:
        values, lines, problems = read_yaml(path.read_text("utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except NotYaml as error:
        raise Misconfigured(_told(path, [error.problem])) from error
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        fields = {name for model in (Config, Advisories, ScanException) for name in model.model_fields}
        raise Misconfigured(_told(path, [*problems, *problems_of(error, lines, fields)])) from error
    if problems:
        raise Misconfigured(_told(path, problems))
    return config


def _told(path: Path, problems: list[Problem]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"{path} has {count}:", *(f"  {problem}" for problem in sorted(problems))])
