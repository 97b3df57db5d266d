"""Speaks both ends of a container's output: log lines, and one marked line that is the result.

The mark carries a nonce that only this task's container was told, so no value in the data and no print of an author
can pose as a result.
"""

import json
from typing import Any, NamedTuple

from pydantic import ValidationError

from etl_contract._result import StageResult

MARK = "::etl-result"


def marked(result: StageResult, nonce: str) -> str:
    """Write a result as the one line that `Conversation` believes."""
    return f"{MARK} {nonce} {result.model_dump_json(exclude_defaults=True)}"


class LogLine(NamedTuple):
    """A line for the task log: its level (as in `logging`), its event, and the facts that go with it."""

    level: str
    event: str
    facts: dict[str, Any]


class Conversation:
    """Listens to a container: gives each log line, and keeps the result.

    Args:
        nonce: what the container was told; a marked line with another nonce is an ordinary line.
    """

    def __init__(self, nonce: str) -> None:
        self._prefix = f"{MARK} {nonce} "
        self.result: StageResult | None = None

    def hear(self, line: str) -> LogLine | None:
        """Take one line; give what belongs into the log, if anything."""
        if line.startswith(self._prefix):
            try:
                self.result = StageResult.model_validate_json(line.removeprefix(self._prefix))
            except ValidationError as error:
                return LogLine("error", f"The stage's result is not one: {error}", {})
            return None
        return _log_line(line)


def _log_line(line: str) -> LogLine | None:
    """Read a structured line; anything else is an author's print, or a traceback, and stays as it is."""
    if line.startswith("{"):
        try:
            record = json.loads(line)
            event, level = str(record.pop("event")), str(record.pop("level"))
        except (ValueError, KeyError, AttributeError):
            pass
        else:
            record.pop("timestamp", None)
            return LogLine(level, event, record)
    return LogLine("info", line, {}) if line.strip() else None
