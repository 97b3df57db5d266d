"""Collects what is wrong with the rows of a source, so that its owner hears of everything at once."""

from typing import NamedTuple

from etl_contract import DataError

MOST_TOLD = 20
_MOST_SHOWN = 60


class _Fault(NamedTuple):
    problem: str
    place: str
    hint: str


class Faults:
    """Keeps the first faults of a source, and counts the rest."""

    def __init__(self, where: str) -> None:
        self.count = 0
        self._where = where
        self._first: list[_Fault] = []

    @property
    def full(self) -> bool:
        """Say whether further faults are only counted."""
        return len(self._first) >= MOST_TOLD

    def add(self, problem: str, place: str, hint: str) -> None:
        """Take a fault; what is beyond the first ones is only counted."""
        self.count += 1
        if not self.full:
            self._first.append(_Fault(problem, place, hint))

    def take(self, error: DataError) -> None:
        """Take what ended a document."""
        self.add(error.problem, error.where, error.hint)

    def raise_if_any(self) -> None:
        """End the source if there was a fault.

        Raises:
            DataError: tells the first ones, and how many there are.
        """
        if not self.count:
            return
        if self.count == 1:
            (fault,) = self._first
            raise DataError(fault.problem, where=f"{self._where}, {fault.place}", hint=fault.hint)
        told = [f"{fault.place}: {fault.problem}" for fault in self._first]
        told += [f"and {self.count - len(told):,} more"] if self.count > len(told) else []
        hints = dict.fromkeys(fault.hint for fault in self._first if fault.hint)
        raise DataError(
            f"{self.count:,} problems:\n" + "\n".join(f"  {line}" for line in told),
            where=self._where,
            hint="\n" + "\n".join(hints) if hints else "",
        )


def shown(value: object) -> str:
    """Write a value for a message: short, on one line, with what does not print escaped."""
    text = str(value)
    cut = repr(text[:_MOST_SHOWN])
    return f"{cut}... ({len(text):,} characters)" if len(text) > _MOST_SHOWN else cut
