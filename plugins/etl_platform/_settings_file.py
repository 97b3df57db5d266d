"""Reads a file of settings that people edit, and tells every problem of it by line."""

from pathlib import Path as FilePath
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from etl_platform._problems import Problem, problems_of
from etl_platform._yaml import NotYaml, read_yaml


class BadSettings(NamedTuple):
    """A file of settings with problems: its name, and the page that describes its fields."""

    file: str
    page: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        """Print every problem."""
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"  {problem}" for problem in self.problems]
        return "\n".join([f"{self.file} has {count}:", *lines, f"  Every field is described in {self.page}."])


def read_settings[Settings: BaseModel](
    file: FilePath, model: type[Settings], name: str, page: str
) -> Settings | BadSettings:
    """Read a file of settings; without it every field has its default.

    Args:
        file: where it is.
        model: its fields.
        name: how people call it.
        page: where its fields are described.
    """
    if not file.exists():
        return model()
    try:
        values, lines, problems = read_yaml(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        return BadSettings(name, page, (Problem(1, (), f"byte {error.start} is no UTF-8; save the file as UTF-8"),))
    except NotYaml as error:
        return BadSettings(name, page, (error.problem,))
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        problems += problems_of(error, lines, model.model_fields)
    return BadSettings(name, page, tuple(sorted(set(problems)))) if problems else settings
