"""Names each error for what should happen next.

    StageError
    ├── SpecError     a person must edit the pipeline; a retry would fail the same way
    ├── DataError     the rows are wrong; a retry would read the same rows
    ├── Unavailable   something is not there right now; retry, with backoff
    └── NothingToDo   there is no work in this interval; skip, and skip what follows

Anything else that a stage raises is a bug: it keeps its traceback and fails the run.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal


class StageError(Exception):
    """An outcome other than success, told so that a person can act on it.

    Args:
        problem: what is wrong, with the value.
        where: file, line, field, row or address.
        hint: what to do next.
    """

    outcome: ClassVar[Literal["failed", "retry", "skipped"]] = "failed"

    def __init__(self, problem: str, *, where: str = "", hint: str = "") -> None:
        self.problem = problem
        self.where = where
        self.hint = hint
        super().__init__(self.__str__())

    def __str__(self) -> str:
        """Join the three parts into the one line that a person reads."""
        place = f"{self.where}: " if self.where else ""
        stop = "" if self.problem.endswith((".", "!", "?")) else "."
        remedy = f"{stop} {self.hint}" if self.hint else ""
        return f"{place}{self.problem}{remedy}"


class SpecError(StageError):
    """The pipeline asks for what cannot be; a person must edit it."""


class DataError(StageError):
    """The rows are not what they should be; a retry would not help."""


class Unavailable(StageError):
    """A system that the stage needs does not answer; worth another try."""

    outcome = "retry"


class NothingToDo(StageError):
    """There is nothing in this interval; the run skips what follows."""

    outcome = "skipped"


def refuse(problems: Sequence[StageError]) -> None:
    """Raise what is wrong, all of it at once; a person mends it once."""
    if len(problems) < 2:  # noqa: PLR2004 - one problem needs no list
        for problem in problems:
            raise problem
        return
    kind = SpecError if any(isinstance(problem, SpecError) for problem in problems) else DataError
    raise kind(f"{len(problems)} problems:\n" + "\n".join(f"  {problem}" for problem in problems))
