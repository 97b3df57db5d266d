"""Asks in a terminal for what no option says."""

import sys
from collections.abc import Collection

from etl_contract import StageError


def answer(given: str | None, question: str, default: str | None = None, choices: Collection[str] = ()) -> str:
    """Give what an option says; else what somebody answers, again where that is none of the choices; else the default.

    Raises:
        StageError: there is no answer, and no default.
    """
    if given is None and sys.stdin.isatty() and sys.stdout.isatty():
        given = _asked(question, choices) or None
    if given is None and default is None:
        raise StageError(f"it takes {question}", hint="Say it with --from, or answer in a terminal.")
    return str(default if given is None else given)


def _asked(question: str, choices: Collection[str]) -> str:
    prompt = f"{question[0].upper()}{question[1:]}: "
    try:
        while (said := input(prompt).strip()) and choices and said.lower() not in choices:
            print(f"  '{said}' is none of {', '.join(choices)}")
    except EOFError:
        raise StageError("a question was not answered, so nothing was written") from None
    return said.lower() if choices else said
