"""Offers a notifier with a mail server, a web server, pipelines and a clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl_alerts._channels import Channels
from etl_alerts._notifier import Notifier
from etl_alerts._outbox import Happening, Kind, put
from etl_contract import Interval
from tests.etl_alerts.receiving import Hook, Mailbox, mail_server, web_server

YAML = """\
description: Orders of the shop
owner: shop-team
schedule: "@daily"
extract: {orders: {sql: source, table: orders}}
load: {orders: {table: orders, mode: upsert, key: [id]}}
visualize: {title: Orders, charts: [{title: Rows, sql: select 1 as n, mark: bar, encoding: {x: n}}]}
"""
DEFAULTS = "channels: [mail, hook]\n"
NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
DAY = Interval(start=NOON - timedelta(days=1, hours=12), end=NOON - timedelta(hours=12))


class Desk:
    """The notifier at work, with all that is around it."""

    def __init__(self, folder: Path, mailbox: Mailbox, hook: Hook) -> None:
        self.folder = folder
        self.mailbox = mailbox
        self.hook = hook
        self.now = NOON
        for name in ("outbox", "secrets", "pipelines"):
            (folder / name).mkdir()
        self.outbox = folder / "outbox"
        self.channel("mail", f"mailto://127.0.0.1:{mailbox.port}?from=etl@example.org&to=team@example.org")
        self.channel("hook", f"json://127.0.0.1:{hook.port}/a-path-that-is-secret")
        self.defaults(DEFAULTS)
        self.pipeline("orders")
        self.notifier = self.start()

    def start(self) -> Notifier:
        """Give another notifier, as after a restart."""
        return Notifier(
            self.outbox,
            Channels(self.folder / "secrets"),
            pipelines=self.folder / "pipelines",
            defaults=self.folder / "defaults.yaml",
            web="http://localhost:8080",
            now=lambda: self.now,
        )

    def channel(self, name: str, address: str) -> None:
        """Give a channel its address."""
        (self.folder / "secrets" / name).write_text(address)

    def defaults(self, text: str) -> None:
        """Write what holds for all pipelines."""
        (self.folder / "defaults.yaml").write_text(text)

    def pipeline(self, name: str, alerts: str = "") -> None:
        """Write a pipeline file."""
        (self.folder / "pipelines" / f"{name}.yaml").write_text(f"{YAML}{alerts}")

    def happens(self, kind: str, run_id: str = "run-1", pipeline: str = "orders", **facts: Any) -> list[str]:  # noqa: ANN401
        """Let something happen to a run, and the notifier work; give the subjects of the mails that came of it."""
        happening = Happening(
            kind=Kind(kind), pipeline=pipeline, run_id=run_id, **{"at": self.now, "interval": DAY, **facts}
        )
        assert put(happening, self.outbox)
        return self.works()

    def works(self, **later: int) -> list[str]:
        """Let time pass, and the notifier work; give the subjects of the mails that came of it."""
        self.now += timedelta(**later)
        before = len(self.mailbox.mails)
        self.notifier.work()
        return self.mailbox.subjects[before:]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a notifier with two channels that work."""
    with mail_server() as mailbox, web_server() as hook:
        yield Desk(tmp_path, mailbox, hook)
