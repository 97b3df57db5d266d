"""Holds the one error of this package.

Exception
└── SecretsError    a person must look at a file, or mount a volume; nothing was written
"""

from collections.abc import Sequence


class SecretsError(Exception):
    """Reports every problem that a person must solve before secrets can be written."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"the secrets have {count}:", *(f"  {problem}" for problem in problems)]))
