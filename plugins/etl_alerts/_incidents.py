"""Decides what is news: one message an incident, however many runs, tries and tasks it has."""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from etl_alerts._outbox import Happening, Kind, read, write
from etl_contract import Check, StageName
from etl_platform._alerts import AlertEvent, AlertSettings

FILE = "incidents.json"
_ENDS = 20  # of a pipeline's runs, that are remembered


class Incident(BaseModel):
    """A trouble of a pipeline that is not over: since when, when it was last told, by which runs, in which stages.

    It is overtaken once a run has ended that was not the first of those it is about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime
    told: AwareDatetime | None = None
    runs: tuple[str, ...] = ()
    count: int = 1
    stages: frozenset[str] = frozenset()
    overtaken: bool = False

    @classmethod
    def of(cls, happening: Happening, *, tell: bool) -> Self:
        """Give one that begins."""
        told = happening.at if tell else None
        return cls(since=happening.at, told=told, runs=(happening.run_id,), stages=frozenset({happening.stage}))

    def again(self, happening: Happening, *, tell: bool) -> Self:
        """Give it with one more run."""
        runs = (*(run for run in self.runs if run != happening.run_id), happening.run_id)
        told = happening.at if tell else self.told
        stages = self.stages | {happening.stage}
        return self.model_copy(update={"runs": runs[-100:], "told": told, "count": self.count + 1, "stages": stages})

    def may_be_over(self, happening: Happening) -> bool:
        """Say whether a run that succeeded went through all that failed; where one had nothing to do, it stopped."""
        order = [stage.value for stage in StageName]
        untried = order[order.index(happening.stage) + 1 :] if happening.stage in order else []
        return self.stages.isdisjoint(untried)


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
    """The troubles that are not over, and when the last runs ended, by pipeline."""

    model_config = ConfigDict(extra="forbid")

    open: dict[str, dict[Trouble, Incident]] = Field(default={})
    ended: dict[str, dict[str, AwareDatetime]] = Field(default={})

    @classmethod
    def of(cls, outbox: Path) -> Self:
        """Read what was kept; nothing, where there is no file, or none that can be read."""
        file = outbox / FILE
        loss = "Troubles that last are told once more, and the end of none."
        return (read(file, outbox, cls, loss) if file.exists() else None) or cls()

    def keep(self, outbox: Path) -> None:
        """Write them for the next start."""
        write(outbox / FILE, self.model_dump_json())

    def news_of(self, happening: Happening, settings: AlertSettings) -> list[News]:
        """Take a happening in; give what is to be told of it."""
        troubles = self.open.setdefault(happening.pipeline, {})
        news: list[News | None] = []
        match happening.kind:
            case Kind.late if self._is_over(happening):
                pass
            case Kind.late:
                news += [self._trouble(troubles, Trouble.deadline, happening, settings)]
            case Kind.failed:
                self._end_of_run(troubles, happening, settings)
                news += [self._trouble(troubles, Trouble.failure, happening, settings)]
            case _:
                failure = troubles.get(Trouble.failure)
                if failure is not None and failure.may_be_over(happening):
                    news += [self._over(troubles, Trouble.failure, happening, settings)]
                news += [self._end_of_run(troubles, happening, settings)]
                if happening.checks is not None:
                    news += [self._checked(troubles, happening, happening.checks, settings)]
        if happening.kind is not Kind.late:
            self._remember_end(happening)
        if not troubles:
            del self.open[happening.pipeline]
        return [each for each in news if each is not None]

    def _is_over(self, late: Happening) -> bool:
        """Say whether a run has ended since its deadline: word of that may come first."""
        end = self.ended.get(late.pipeline, {}).get(late.run_id)
        return end is not None and late.at <= end

    def _remember_end(self, happening: Happening) -> None:
        others = [end for end in self.ended.get(happening.pipeline, {}).items() if end[0] != happening.run_id]
        self.ended[happening.pipeline] = dict([*others, (happening.run_id, happening.at)][-_ENDS:])

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
        if before is None or before.overtaken:
            incident = Incident.of(happening, tell=wanted)
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
        self, troubles: dict[Trouble, Incident], happening: Happening, settings: AlertSettings
    ) -> News | None:
        """End the lateness of a run, and the incident once none of its runs is left.

        Of a run that a person marked no end is heard. One that was late before a run that has ended is mostly such a
        run, or else goes on beside it; either way it is no reason to keep silent about the next.
        """
        late = troubles.get(Trouble.deadline)
        if late is None:
            return None
        left = tuple(run for run in late.runs if run != happening.run_id)
        if not left:
            return self._over(troubles, Trouble.deadline, happening, settings)
        overtaken = late.overtaken or late.runs[0] != happening.run_id
        troubles[Trouble.deadline] = late.model_copy(update={"runs": left, "overtaken": overtaken})
        return None


def breaches(checks: tuple[Check, ...], share: float) -> tuple[Check, ...]:
    """Give the checks that were breached by more than a share of the rows; one over all rows at once is or is not."""
    return tuple(check for check in checks if check.breaches > (0 if check.whole else share * check.rows))


def _is_due(told: datetime | None, now: datetime, repeat: timedelta | None) -> bool:
    return told is None or (repeat is not None and now - told >= repeat)
