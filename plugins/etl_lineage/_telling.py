"""Leaves word of the beginning and the end of a try, where lineage is on; a run is worth more than that."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from etl_contract import Outcome
from etl_contract._result import Columns
from etl_lineage._settings import is_wanted
from etl_platform._ending import Ending, EndState
from etl_platform._pipeline import Pipeline
from etl_platform._settings import Settings
from etl_platform._stage_runs import Began

log = logging.getLogger(__name__)

_STATES = {EndState.success: "COMPLETE", EndState.skipped: "COMPLETE", EndState.killed: "ABORT"}


class Telling:
    """Tells of one try.

    Args:
        settings: where things are.
        pipeline: whose stage it is.
        began: what is known at its beginning.
        queued: when its run was to begin.
        columns: the columns of what it reads, by dataset.
    """

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        began: Began,
        queued: datetime,
        columns: Mapping[str, Columns],
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._began = began
        self._queued = queued
        self._columns = columns

    def begun(self) -> None:
        """Tell that it has begun."""
        self._tell("START", self._began.at)

    def ended(self, ending: Ending) -> None:
        """Tell how it ended, and what it made."""
        state = _STATES.get(ending.state, "FAIL")
        ended = (ending.container and ending.container.ended_at) or datetime.now(UTC)
        self._tell(state, max(ended, self._began.at), ending)

    def _tell(self, state: str, at: datetime, ending: Ending | None = None) -> None:
        try:
            if is_wanted(self._settings.lineage):
                self._leave(state, at, ending)
        except Exception as error:  # noqa: BLE001 - whatever it is
            log.warning("This try is missing in lineage, which changes nothing else: %s", error)

    def _leave(self, state: str, at: datetime, ending: Ending | None) -> None:
        from etl_lineage._facts import Fact, leave  # noqa: PLC0415 - 20 ms, for lineage alone

        result = ending.result if ending else None
        facts = {
            "state": state,
            "at": at,
            "began": self._began.at,
            "queued": self._queued,
            "owner": self._pipeline.owner,
            "description": self._pipeline.description,
            "image": self._began.image,
            "map_index": self._began.map_index,
            "task": self._began.task,
            "columns": self._columns,
            "expect": self._pipeline.expect or {},
            "result": result if result and result.outcome is Outcome.done else None,
            "problem": str(ending.fault) if ending and state != "COMPLETE" else "",
        }
        leave(Fact.model_validate(facts), self._settings.outbox)
