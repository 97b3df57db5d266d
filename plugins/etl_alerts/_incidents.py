"""Decides what is news: one message an incident, however many runs, tries and tasks it has."""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from etl_alerts._outbox import Happening, Kind, write
from etl_contract import Check
from etl_platform._alerts import AlertEvent, AlertSettings


class Incident(BaseModel):
    """A trouble of a pipeline that is not over: since when, when it was last told, and by which runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime
    told: AwareDatetime | None = None
    runs: tuple[str, ...] = ()
    count: int = 1

    def again(self, happening: Happening, *, tell: bool) -> Self:
        """Give it with one more run."""
        runs = (*(run for run in self.runs if run != happening.run_id), happening.run_id)
        told = happening.at if tell else self.told
        return self.model_copy(update={"runs": runs[-100:], "told": told, "count": self.count + 1})


class Trouble(StrEnum):
    """The troubles that last until something ends them."""

    failure = "failure"
    deadline = "deadline"
    breach = "breach"


class News(BaseModel):
    """What is to be told: the event, what happened, and the incident that it is part of or ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: AlertEvent
    happening: Happening
    trouble: Trouble
    incident: Incident
    checks: tuple[Check, ...] = ()


class Incidents(BaseModel):
    """The troubles that are not over, by pipeline."""

    model_config = ConfigDict(extra="forbid")

    open: dict[str, dict[Trouble, Incident]] = Field(default={})

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read what was kept; nothing, where there is no file."""
        return cls.model_validate_json(file.read_bytes()) if file.exists() else cls()

    def keep(self, file: Path) -> None:
        """Write them for the next start."""
        write(file, self.model_dump_json())

    def news_of(self, happening: Happening, settings: AlertSettings) -> list[News]:
        """Take a happening in; give what is to be told of it."""
        troubles = self.open.setdefault(happening.pipeline, {})
        match happening.kind:
            case Kind.failed:
                self._end_of_run(troubles, Trouble.deadline, happening, settings)
                news = [self._trouble(troubles, Trouble.failure, happening, settings)]
            case Kind.late if Trouble.failure in troubles and happening.run_id in troubles[Trouble.failure].runs:
                news = []  # it has failed already
            case Kind.late:
                news = [self._trouble(troubles, Trouble.deadline, happening, settings)]
            case _:
                news = [
                    self._over(troubles, Trouble.failure, happening, settings),
                    self._end_of_run(troubles, Trouble.deadline, happening, settings),
                ]
                if happening.checks is not None:
                    news.append(self._checked(troubles, happening, happening.checks, settings))
        if not troubles:
            del self.open[happening.pipeline]
        return [each for each in news if each is not None]

    def _trouble(
        self,
        troubles: dict[Trouble, Incident],
        trouble: Trouble,
        happening: Happening,
        settings: AlertSettings,
        checks: tuple[Check, ...] = (),
    ) -> News | None:
        event = AlertEvent(trouble.value)
        before = troubles.get(trouble)
        wanted = event in settings.events and bool(settings.channels)
        if before is None:
            told = happening.at if wanted else None
            incident = Incident(since=happening.at, told=told, runs=(happening.run_id,))
        else:
            wanted = wanted and _is_due(before.told, happening.at, settings.repeat_span)
            incident = before.again(happening, tell=wanted)
        troubles[trouble] = incident
        return (
            News(event=event, happening=happening, trouble=trouble, incident=incident, checks=checks)
            if wanted
            else None
        )

    def _checked(
        self,
        troubles: dict[Trouble, Incident],
        happening: Happening,
        checks: tuple[Check, ...],
        settings: AlertSettings,
    ) -> News | None:
        if breached := breaches(checks, settings.breach):
            return self._trouble(troubles, Trouble.breach, happening, settings, breached)
        return self._over(troubles, Trouble.breach, happening, settings)

    def _over(
        self, troubles: dict[Trouble, Incident], trouble: Trouble, happening: Happening, settings: AlertSettings
    ) -> News | None:
        """End a trouble; whoever was told of it is told of its end."""
        incident = troubles.pop(trouble, None)
        if incident is None or incident.told is None or AlertEvent.recovery not in settings.events:
            return None
        return News(event=AlertEvent.recovery, happening=happening, trouble=trouble, incident=incident)

    def _end_of_run(
        self, troubles: dict[Trouble, Incident], trouble: Trouble, happening: Happening, settings: AlertSettings
    ) -> News | None:
        """End what a run was part of, once none of its runs is left."""
        incident = troubles.get(trouble)
        if incident is None or happening.run_id not in incident.runs:
            return None
        left = tuple(run for run in incident.runs if run != happening.run_id)
        if left:
            troubles[trouble] = incident.model_copy(update={"runs": left})
            return None
        return self._over(troubles, trouble, happening, settings)


def breaches(checks: tuple[Check, ...], share: float) -> tuple[Check, ...]:
    """Give the checks that were breached by more than a share of the rows; one over all rows at once is or is not."""
    return tuple(check for check in checks if check.breaches > (0 if check.whole else share * check.rows))


def _is_due(told: datetime | None, now: datetime, repeat: timedelta | None) -> bool:
    return told is None or (repeat is not None and now - told >= repeat)
