"""Works through the facts of the outbox, in their order: to a file that people read, or to an HTTP endpoint."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import structlog
from pydantic import ValidationError

from etl_lineage._facts import WAITING, read_fact
from etl_lineage._settings import FILE, Events, LineageSettings, read_lineage_settings
from etl_platform._settings import Settings
from etl_platform._settings_file import BadSettings

EVENTS, EVENTS_BEFORE = Path("lineage") / "events.ndjson", Path("lineage") / "events.1.ndjson"
MOST_BYTES = 8 * 1024 * 1024  # of each of the two files
MOST_WAITING = 10_000
# How long after an event was not taken it is sent again; the last one again and again.
WAITS = (timedelta(seconds=2), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
SECONDS = 10.0  # for the endpoint to answer
_AGAIN = {401, 403, 404, 408, 425, 429}  # what a person or time may mend; any other 4xx is about the event itself
_CLIENTS_FAULT, _SERVERS_FAULT = 400, 500

log = structlog.get_logger()


class NotTaken(Exception):
    """The endpoint did not take an event now; its words hold nothing of the address."""


class Refused(Exception):
    """The endpoint takes this event never."""


class Sender:
    """Makes events of facts and brings them away; all that it knows stands in the outbox, so it may stop at any time.

    Args:
        outbox: where the facts are left.
        secrets: the folder with the endpoint's address and token.
        settings: the file of settings.
        now: the clock.
    """

    def __init__(
        self, outbox: Path, secrets: Path, settings: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._outbox = outbox
        self._secrets = secrets
        self._settings = settings
        self._now = now
        self._complaint = ""
        self._tries = 0
        self._due = now()

    def work(self) -> None:
        """Bring away what waits; stop at the first that is not taken, since order matters."""
        read = read_lineage_settings(self._settings)
        if isinstance(read, BadSettings):
            self._complain(f"{read}")
            return
        self._complaint = ""
        files = sorted((self._outbox / WAITING).glob("*.json"))
        if read.events is Events.none:
            for file in files:  # from before it was switched off
                file.unlink()
            return
        if len(files) > MOST_WAITING:
            log.error("lineage: too many events wait, and the oldest are given up", given_up=len(files) - MOST_WAITING)
            for file in files[:-MOST_WAITING]:
                file.unlink()
        if self._now() < self._due:
            return
        for file in files[-MOST_WAITING:]:
            if not self._bring(file, read):
                return

    def _bring(self, file: Path, settings: LineageSettings) -> bool:
        """Bring one away; tell whether the next may follow."""
        line = _line(file, settings)
        if line is None:
            return True
        try:
            if settings.events is Events.file:
                keep(line, self._outbox)
            else:
                send(line, self._secrets)
        except NotTaken as reason:
            wait = WAITS[min(self._tries, len(WAITS) - 1)]
            self._tries, self._due = self._tries + 1, self._now() + wait
            log.warning("lineage: not sent", reason=str(reason), again_in=str(wait))
            return False
        except Refused as reason:
            # Its words are all that there is to tell: a traceback would show the code of this function.
            log.error("lineage: an event is refused, and given up", reason=str(reason), fact=file.name)  # noqa: TRY400
        self._tries = 0
        file.unlink()
        return True

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            log.error(complaint)
        self._complaint = complaint


def keep(line: str, outbox: Path) -> None:
    """Append to the file of events, whole or not at all; a full one becomes the one before.

    Raises:
        NotTaken: the disk is full.
    """
    file = outbox / EVENTS
    if file.exists() and file.stat().st_size + len(line) > MOST_BYTES:
        file.rename(outbox / EVENTS_BEFORE)
    data = f"{line}\n".encode()
    with file.open("ab", buffering=0) as events:
        end = events.tell()
        try:
            written = events.write(data)
        except OSError as error:
            raise NotTaken(f"{error.strerror}") from None
        if written < len(data):
            events.truncate(end)
            raise NotTaken("the disk is full")


def send(line: str, secrets: Path) -> None:
    """Post an event, once.

    Raises:
        NotTaken: there is no address, nobody answers there, or not now.
        Refused: the event is wrong for who answers there.
    """
    address = _secret(secrets / "endpoint")
    if address is None:
        raise NotTaken(f"{FILE} says endpoint, but there is no address; give it: make secret NAME=lineage/endpoint")
    token = _secret(secrets / "token")
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = httpx.post(address, content=line.encode(), headers=headers, timeout=SECONDS)
    except httpx.InvalidURL:
        raise NotTaken("the address is none; correct it: make secret NAME=lineage/endpoint") from None
    except httpx.HTTPError as error:
        raise NotTaken(type(error).__name__) from None  # its words may have the address
    status = answer.status_code
    if _CLIENTS_FAULT <= status < _SERVERS_FAULT and status not in _AGAIN:
        raise Refused(f"HTTP {status}")
    if not answer.is_success:
        raise NotTaken(f"HTTP {status}")


def sender_of() -> Sender:
    """Make the sender of an installation, where docker-compose.yml puts things."""
    settings = Settings.of_environment()
    return Sender(
        settings.outbox, Path(os.environ.get("ETL_LINEAGE_SECRETS", "/run/secrets/lineage")), settings.lineage
    )


def serve_lineage(sender: Sender, every: float = 1.0) -> None:
    """Work until the process ends; whatever goes wrong, alerts are none of its business."""
    while True:
        try:
            sender.work()
        except Exception:
            log.exception("lineage: the outbox could not be worked through")
        time.sleep(every)


def _line(file: Path, settings: LineageSettings) -> str | None:
    """Make the event of a fact; one of which none can be made is put aside, so that those after it go on."""
    from etl_lineage._event import event  # noqa: PLC0415 - 30 MB, which an installation without lineage need not hold

    try:
        return event(read_fact(file.read_bytes()), settings)
    except ValidationError as error:
        log.warning(f"lineage: a fact could not be read, and is put aside: {error}", fact=file.name)
    except Exception:
        log.exception("lineage: no event could be made of a fact, which is put aside", fact=file.name)
    file.rename(file.with_suffix(".unreadable"))
    return None


def _secret(file: Path) -> str | None:
    return file.read_text(encoding="utf-8").strip() if file.exists() else None
