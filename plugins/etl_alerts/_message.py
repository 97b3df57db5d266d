"""Finds the words for news: a subject, a text, and the same as plain HTML."""

import html
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from etl_alerts._incidents import Incident, News, Trouble
from etl_alerts._outbox import Happening, Kind
from etl_contract import Check
from etl_platform._alerts import AlertEvent, AlertSettings
from etl_platform._pipeline import Pipeline
from etl_platform._run_path import run_path

MOST_PROBLEM = 4000  # characters; the log has all
MOST_CHECKS = 20
_TONES = {AlertEvent.failure: "failure", AlertEvent.recovery: "success"}


class Link(NamedTuple):
    """An address, and what is there."""

    label: str
    address: str


class Message(NamedTuple):
    """What people read; `problem` is told as it is, with its lines. The tone is failure, warning, success or info."""

    subject: str
    sentences: tuple[str, ...]
    problem: str = ""
    links: tuple[Link, ...] = ()
    tone: str = "info"

    @property
    def text(self) -> str:
        """Give all but the subject as plain text."""
        first, *others = self.sentences
        links = "\n".join(f"{label}: {to}" for label, to in self.links)
        return "\n\n".join(part for part in (first, self.problem, "\n".join(others), links) if part)

    @property
    def html(self) -> str:
        """Give the same as HTML that needs nothing from elsewhere."""
        first, *others = map(html.escape, self.sentences)
        problem = f'<pre style="white-space: pre-wrap">{html.escape(self.problem)}</pre>' if self.problem else ""
        # An address that is seen is one that stays in what mail programs make of it.
        links = [f'{html.escape(label)}: <a href="{html.escape(to)}">{html.escape(to)}</a>' for label, to in self.links]
        lines = ("<br>\n".join(lines) for lines in (others, links))
        return "\n".join([f"<p>{first}</p>", problem, *(f"<p>{each}</p>" for each in lines if each)])


def message(news: News, pipeline: Pipeline | None, settings: AlertSettings, web: str) -> Message:
    """Say what is new.

    Args:
        news: what it is.
        pipeline: its file as it is now; None where that cannot be read.
        settings: what holds for its alerts.
        web: the address of Airflow's web UI.
    """
    happening, name = news.happening, news.happening.pipeline
    about = _interval(happening, pipeline)
    zone = ZoneInfo(pipeline.timezone if pipeline else "UTC")
    subject, sentence = _words(news, about, settings, zone)
    later = [] if news.event is AlertEvent.recovery else [_later(settings)]
    sentences = [sentence, f"Pipeline: {name}{_of(pipeline)}", f"Run: {happening.run_id}", *later]
    tone = _TONES.get(news.event, "warning")
    return Message(subject, tuple(sentences), _problem(news), tuple(_links(news, pipeline, web)), tone)


def _words(news: News, about: str, settings: AlertSettings, zone: ZoneInfo) -> tuple[str, str]:
    """Give the subject, and what it means."""
    happening, incident = news.happening, news.incident
    name, since = happening.pipeline, _clock(incident.since, zone)
    again = f" It is so since {since}, for {incident.count} runs." if incident.count > 1 else ""
    match news.event:
        case AlertEvent.failure:
            stage = f" in {happening.stage}" if happening.stage else ""
            still = "still fails" if incident.count > 1 else "failed"
            return f"{name} {still}{stage} ({about})", f"The run about {about} failed{stage}.{again}"
        case AlertEvent.deadline:
            late = f"has not ended within {settings.deadline}" if settings.deadline_span else "has not ended in time"
            return (
                f"{name} is late ({about})",
                f"The run about {about} {late}. It goes on; nothing was stopped.{again}",
            )
        case AlertEvent.breach:
            rules = "1 rule is" if len(news.checks) == 1 else f"{len(news.checks)} rules are"
            return (
                f"{name}: {rules} breached ({about})",
                f"The run about {about} succeeded, but rows are not what they are expected to be.{again}",
            )
    return _recovered(news.trouble, name, about, incident, zone)


def _recovered(trouble: Trouble, name: str, about: str, incident: Incident, zone: ZoneInfo) -> tuple[str, str]:
    since = _clock(incident.since, zone)
    match trouble:
        case Trouble.failure:
            runs = "1 run" if incident.count == 1 else f"{incident.count} runs"
            return (
                f"{name} works again ({about})",
                f"The run about {about} succeeded, after {runs} failed since {since}.",
            )
        case Trouble.deadline:
            return f"{name} has ended, late ({about})", f"The run about {about} succeeded; it was late since {since}."
    return (
        f"{name}: its checks hold again ({about})",
        f"The run about {about} breached no rule, as runs did since {since}.",
    )


def _later(settings: AlertSettings) -> str:
    """Say when people hear of it again."""
    often = "" if settings.repeat_span is None else f"at most once in {settings.repeat}"
    if AlertEvent.recovery in settings.events:
        return f"You are told when it is over{', and in between ' if often else ''}{often}."
    return f"Until it is over, you are told {often or 'no more of it'}."


def _problem(news: News) -> str:
    happening = news.happening
    if news.event is AlertEvent.breach:
        return "\n".join(_checks(news.checks))
    if happening.kind is not Kind.failed:
        return ""
    problem = happening.problem or "The task left no word of why; its log may know, or it was killed."
    return problem if len(problem) <= MOST_PROBLEM else f"{problem[:MOST_PROBLEM]} ... (the log has all)"


def _checks(checks: tuple[Check, ...]) -> Iterable[str]:
    """Say which rules were breached by how many rows; not by which, since mail is no place for them."""
    for check in checks[:MOST_CHECKS]:
        what = "these were set aside" if check.on_breach == "quarantine" else "they were loaded"
        how = "all rows at once" if check.whole else f"{check.breaches:,} of {check.rows:,} rows; {what}"
        yield f"{check.dataset}: {check.rule} ({how})"
    if len(checks) > MOST_CHECKS:
        yield f"... and {len(checks) - MOST_CHECKS} more"


def _links(news: News, pipeline: Pipeline | None, web: str) -> Iterable[Link]:
    happening = news.happening
    run = f"{web.rstrip('/')}{run_path(happening.pipeline, happening.run_id)}"
    yield Link("Log", f"{run}/tasks/{quote(happening.stage, safe='')}") if happening.stage else Link("Run", run)
    # A run that failed before it drew a report has none; the tab says why, and leads to the last one.
    if pipeline is None or pipeline.visualize is not None:
        yield Link("Report", f"{run}/plugin/report")


def _interval(happening: Happening, pipeline: Pipeline | None) -> str:
    """Say what the run is about, in the words of lists and reports."""
    if happening.interval is None:
        return happening.run_id
    # On the pipeline's own clock, also where Airflow told it on its own.
    zone = pipeline.timezone if pipeline else happening.interval.timezone
    return str(happening.interval.model_copy(update={"timezone": zone}))


def _of(pipeline: Pipeline | None) -> str:
    if pipeline is None:
        return ""
    return f" of {pipeline.owner}{': ' if pipeline.description else ''}{pipeline.description}"


def _clock(time: datetime, zone: ZoneInfo) -> str:
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M %Z}"
