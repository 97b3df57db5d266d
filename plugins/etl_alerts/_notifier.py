"""Sends what is in the outbox, each message by each of its channels, again where one does not take it."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict

from etl_alerts._channels import Channels, NotSent
from etl_alerts._incidents import Incidents, News
from etl_alerts._message import Link, Message, message
from etl_alerts._outbox import happened, read, write
from etl_platform import Pipeline, read_pipeline
from etl_platform._alerts import AlertSettings, read_alert_defaults
from etl_platform._settings_file import BadSettings

# How long after a try the next one is made; after a day it is given up.
WAITS = (*(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800)), *(timedelta(hours=1),) * 23)
FOLDERS = ("happened", "letters")
ALIVE = "alive"
WEB = "http://localhost:8080"

log = structlog.get_logger()


class Letter(BaseModel):
    """A message on its way to one channel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    pipeline: str
    subject: str
    sentences: tuple[str, ...]
    problem: str = ""
    links: tuple[tuple[str, str], ...] = ()
    tone: str = "info"
    tries: int = 0
    due: AwareDatetime

    @property
    def line(self) -> tuple[str, str]:
        """Name those among which it has its turn: a pipeline's to the same channel."""
        return self.channel, self.pipeline

    @property
    def told(self) -> dict[str, str]:
        """Give what the log has of it."""
        return {"channel": self.channel, "pipeline": self.pipeline, "subject": self.subject}

    @property
    def message(self) -> Message:
        """Give what it says."""
        links = tuple(Link(*link) for link in self.links)
        return Message(self.subject, self.sentences, self.problem, links, self.tone)


class Notifier:
    """Works through an outbox; all that it knows stands there, so that it may be stopped and started at any time."""

    def __init__(  # noqa: PLR0913 - where each thing is
        self,
        outbox: Path,
        channels: Channels,
        *,
        pipelines: Path,
        defaults: Path,
        web: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._pipelines = pipelines
        self._defaults = defaults
        self._web = web
        self._now = now
        self._complaint = ""
        for folder in FOLDERS:
            (outbox / folder).mkdir(parents=True, exist_ok=True)

    def work(self) -> None:
        """Take in what has happened, and send what is due."""
        (self._outbox / ALIVE).touch()
        defaults = read_alert_defaults(self._defaults)
        if isinstance(defaults, BadSettings):
            # What has happened stays until it is known whom to tell.
            if self._complaint != str(defaults):
                log.error(f"{defaults}")
        else:
            self._take_in(defaults)
        self._complaint = str(defaults) if isinstance(defaults, BadSettings) else ""
        self._send_due()

    def _take_in(self, defaults: AlertSettings) -> None:
        incidents = Incidents.of(self._outbox)
        for file, happening in happened(self._outbox):
            pipeline = self._pipeline(happening.pipeline)
            settings = defaults.of(pipeline.alerts if pipeline else None)
            # Letters first: after a crash the same happening writes the same ones again.
            for number, news in enumerate(incidents.news_of(happening, settings)):
                self._write_letters(news, pipeline, settings, f"{file.stem}-{number}")
            incidents.keep(self._outbox)
            file.unlink()

    def _pipeline(self, name: str) -> Pipeline | None:
        file = self._pipelines / f"{name}.yaml"
        read = read_pipeline(file) if file.exists() else None
        return read if isinstance(read, Pipeline) else None

    def _write_letters(self, news: News, pipeline: Pipeline | None, settings: AlertSettings, name: str) -> None:
        words = message(news, pipeline, settings, self._web)
        for channel in settings.channels:
            letter = Letter(channel=channel, pipeline=news.happening.pipeline, due=self._now(), **words._asdict())
            write(self._outbox / "letters" / f"{name}-{channel}.json", letter.model_dump_json())

    def _send_due(self) -> None:
        """Send what is due, behind what waits for the same channel: a trouble's end is told after the trouble."""
        files = sorted((self._outbox / "letters").glob("*.json"))
        loss = "The message is sent to nobody."
        letters = [(file, letter) for file in files if (letter := read(file, self._outbox, Letter, loss)) is not None]
        due = {letter.line for _, letter in letters if letter.due <= self._now()}
        reasons: dict[tuple[str, str], str] = {}
        for file, letter in letters:
            if letter.line in due and letter.line not in reasons:
                reason = self._complaint_of(letter)
                if reason is None:
                    log.info("sent", **letter.told)
                    file.unlink()
                    continue
                reasons[letter.line] = reason
            if letter.line in reasons and letter.due <= self._now():
                self._try_later(file, letter, reasons[letter.line])

    def _try_later(self, file: Path, letter: Letter, reason: str) -> None:
        if letter.tries == len(WAITS):
            log.error("not sent, and given up", reason=reason, tries=letter.tries + 1, **letter.told)
            file.unlink()
            return
        wait = WAITS[letter.tries]
        log.warning("not sent", reason=reason, again_in=str(wait), **letter.told)
        later = letter.model_copy(update={"tries": letter.tries + 1, "due": self._now() + wait})
        write(file, later.model_dump_json())

    def _complaint_of(self, letter: Letter) -> str | None:
        """Send a letter; give why it could not be sent, if so."""
        (self._outbox / ALIVE).touch()  # a channel may take its time to refuse
        try:
            self._channels.send(letter.channel, letter.message)
        except NotSent as error:
            return str(error)
        return None


def notifier_of(environment: Mapping[str, str] = os.environ) -> Notifier:
    """Make the notifier of an installation, where docker-compose.yml puts things."""
    config = Path("/opt/airflow/config")
    return Notifier(
        Path(environment.get("ETL_OUTBOX", "/outbox")),
        Channels(),
        pipelines=Path(environment.get("ETL_PIPELINES", config / "pipelines")),
        defaults=Path(environment.get("ETL_ALERTS", config / "alerts" / "defaults.yaml")),
        web=environment.get("AIRFLOW__API__BASE_URL", WEB),
    )


def serve(notifier: Notifier, every: float = 2.0) -> None:
    """Work until the end; a trouble of the moment, such as a full disk, is told and waited out."""
    while True:
        try:
            notifier.work()
        except OSError as error:
            log.warning(f"The outbox could not be worked through: {error}")
        time.sleep(every)
