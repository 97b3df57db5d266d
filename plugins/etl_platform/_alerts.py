"""Models whom a pipeline's troubles are told to, and reads what holds for all pipelines."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from etl_contract import Name
from etl_contract._words import matching, timedelta_of
from etl_platform._settings_file import BadSettings, read_settings

FILE = "config/alerts/defaults.yaml"
PAGE = "docs/alerts.md"
_NEVER = "never"
SpanOrNever = Annotated[
    str,
    *matching(
        rf"{_NEVER}|\d{{1,6}} (second|minute|hour|day|week)s?",
        "a span of time; write one such as 90 minutes, 2 hours or 1 day, or never",
    ),
]
Share = Annotated[float, Field(ge=0, lt=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertEvent(StrEnum):
    """What may be told of a pipeline."""

    failure = "failure"
    deadline = "deadline"
    breach = "breach"
    recovery = "recovery"


class Alerts(_Model):
    """What a pipeline says of its alerts; what it leaves out is as for all pipelines."""

    channels: tuple[Name, ...] | None = Field(
        default=None, description="The channels by which people are told; `[]` for none."
    )
    events: tuple[AlertEvent, ...] | None = Field(
        default=None,
        description="What is told: a run's `failure`, a missed `deadline`, a check's `breach`, and the `recovery` from "
        "any of them; `[]` for nothing.",
    )
    deadline: SpanOrNever | None = Field(
        default=None, description="How long a run may take from when it was queued, such as `2 hours`, or `never`."
    )
    breach: Share | None = Field(
        default=None,
        description="The share of a dataset's rows above which the breach of a rule that warns, or sets rows aside, is "
        "told, such as `0.01`.",
    )
    repeat: SpanOrNever | None = Field(
        default=None, description="How often a trouble that lasts is told again, such as `1 day`, or `never`."
    )


class AlertSettings(_Model):
    """What holds for a pipeline's alerts, all said."""

    channels: tuple[Name, ...] = ()
    events: tuple[AlertEvent, ...] = tuple(AlertEvent)
    deadline: SpanOrNever = _NEVER
    breach: Share = 0.0
    repeat: SpanOrNever = "1 day"

    def of(self, alerts: Alerts | None) -> "AlertSettings":
        """Give what holds where a pipeline says some of it otherwise."""
        return self.model_copy(update=alerts.model_dump(exclude_none=True) if alerts else {})

    @property
    def deadline_span(self) -> timedelta | None:
        """Give the time that a run may take, or nothing."""
        return None if self.deadline == _NEVER else timedelta_of(self.deadline)

    @property
    def repeat_span(self) -> timedelta | None:
        """Give the time after which a trouble is told again, or nothing."""
        return None if self.repeat == _NEVER else timedelta_of(self.repeat)


def read_alert_defaults(file: FilePath) -> AlertSettings | BadSettings:
    """Read what holds for all pipelines; without a file nobody is told anything."""
    return read_settings(file, AlertSettings, FILE, PAGE)
