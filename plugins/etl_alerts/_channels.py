"""Sends messages by the addresses that are kept as secrets, whatever service each is of (https://appriseit.com)."""

import logging
import os
import re
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from etl_alerts._message import Message

SECRETS = Path(os.environ.get("ETL_CHANNELS", "/run/secrets/alerts"))
NAME = "ETL platform"
_LEAST = 4  # shorter parts of an address are words such as `com`


class NotSent(Exception):
    """A channel did not take a message; its words hold nothing of the address."""


class Channels:
    """The channels of an installation, by name: a secret each."""

    def __init__(self, folder: Path = SECRETS) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Name the channels that have an address."""
        return sorted(file.name for file in self._folder.glob("[!.]*"))

    def send(self, name: str, message: Message) -> None:
        """Send a message, once.

        Raises:
            NotSent: the channel has no address, or did not take it.
        """
        import apprise  # noqa: PLC0415 - half a second, which a check of health need not wait for
        from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 - as above

        try:
            address = (self._folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise NotSent(f"it has no address; give it one: make secret NAME=alerts/{name}") from None
        # Its own words and pictures would stand beside ours, the pictures by addresses elsewhere.
        ours = apprise.AppriseAsset(app_id=NAME, app_desc=NAME, image_url_mask="", image_url_logo="")
        sender = apprise.Apprise(asset=ours)
        with _Complaints() as complaints:
            if not sender.add(address):
                raise NotSent(f"its address is none that can be sent to; correct it: make secret NAME=alerts/{name}")
            formats: object = sender[
                0
            ].notify_format  # what the service takes, best first; or the one that the address says
            as_html = (formats[0] if isinstance(formats, tuple) else formats) == NotifyFormat.HTML
            sent = sender.notify(
                title=message.subject,
                body=message.html if as_html else message.text,
                notify_type=NotifyType(message.tone),
                body_format=NotifyFormat.HTML if as_html else NotifyFormat.TEXT,
            )
        if not sent:
            raise NotSent(without_address("; ".join(complaints.said) or "it did not say why", address))


class _Complaints(logging.Handler):
    """Listens to why something could not be sent."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self._logger = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING or "Exception" in record.getMessage():
            self.said.append(record.getMessage().strip())

    def __enter__(self) -> Self:
        self._before = self._logger.level, self._logger.propagate
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.level, self._logger.propagate = self._before


def without_address(text: str, address: str) -> str:
    """Take out of a text every part of an address: any may be a key."""
    parts = {part for part in re.split(r"[/:@?&=,]+", address) if len(part) >= _LEAST}
    scheme = address.partition(":")[0]
    for part in sorted({*parts, *map(unquote, parts)} - {scheme}, key=len, reverse=True):
        text = text.replace(part, "***")
    return text
