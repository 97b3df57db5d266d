"""How events get to people and to an endpoint: in order, once it is there, and never in anybody's way."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from etl_lineage import _sender
from etl_lineage.__main__ import main
from etl_lineage._facts import WAITING, Fact, leave
from etl_lineage._sender import EVENTS, EVENTS_BEFORE, Sender
from etl_lineage._settings import LineageSettings, is_wanted, read_lineage_settings
from tests.etl_lineage.conftest import NOON, extracted, loaded
from tests.etl_lineage.receiving import Endpoint, endpoint
from tests.etl_lineage.schemas import complaints


class Desk:
    """A sender at work, with its outbox, secrets and settings, and a clock."""

    def __init__(self, folder: Path, receiver: Endpoint) -> None:
        self.outbox, self.secrets, self.file = folder / "outbox", folder / "secrets", folder / "settings.yaml"
        self.receiver = receiver
        self.now: datetime = NOON
        for place in (self.outbox, self.secrets):
            place.mkdir()
        self.settings("events: endpoint")
        self.secret("endpoint", f"http://127.0.0.1:{receiver.port}/a-path-that-is-secret")
        self.sender = self.start()

    def start(self) -> Sender:
        """Give another sender, as after a restart."""
        return Sender(self.outbox, self.secrets, self.file, now=lambda: self.now)

    def settings(self, text: str) -> None:
        """Write the settings."""
        self.file.write_text(f"{text}\nnamespace: shop\n")

    def secret(self, name: str, text: str) -> None:
        """Keep a secret."""
        (self.secrets / name).write_text(text)

    def happens(self, *facts: Fact) -> None:
        """Let tries begin or end."""
        for fact in facts:
            leave(fact, self.outbox)

    def works(self, **later: int) -> list[str]:
        """Let time pass, and the sender work; give what the log says of it."""
        self.now += timedelta(**later)
        with structlog.testing.capture_logs() as said:
            self.sender.work()
        return [str(line) for line in said]

    @property
    def waiting(self) -> int:
        """Count what waits."""
        return len([*(self.outbox / WAITING).glob("*.json")])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a sender whose endpoint is there."""
    with endpoint() as receiver:
        yield Desk(tmp_path, receiver)


def test_an_endpoint_gets_each_event_once_and_in_order(desk: Desk) -> None:
    """With the token, if there is one; each is valid as it comes out of the wire."""
    desk.secret("token", "a-token\n")
    desk.happens(extracted(), loaded())
    said = desk.works()
    desk.works()

    assert [event["job"]["name"] for event in desk.receiver.events] == ["orders.extract", "orders.load"]
    assert [complaints(event) for event in desk.receiver.events] == [[], []]
    assert desk.receiver.tokens == ["Bearer a-token"] * 2
    assert (desk.waiting, said) == (0, [])
    assert not (desk.outbox / EVENTS).exists()


@pytest.mark.parametrize("status", [503, 500, 429, 401, 404])
def test_what_is_not_taken_is_sent_again_also_after_a_restart(desk: Desk, status: int) -> None:
    """Those after it wait, since order matters; the log says why, without a part of the address."""
    desk.happens(extracted(), loaded())
    desk.receiver.status = status
    said = desk.works()
    assert desk.works(seconds=1) == []
    desk.receiver.status = 201
    assert desk.receiver.events == []
    desk.sender = desk.start()
    desk.works()

    assert [event["job"]["name"] for event in desk.receiver.events] == ["orders.extract", "orders.load"]
    assert f"HTTP {status}" in said[0]
    assert "secret" not in said[0]


def test_waits_grow_and_end_with_the_first_that_is_taken(desk: Desk) -> None:
    """An endpoint that is away for a day costs a try in five minutes."""
    desk.receiver.status = 503
    desk.happens(extracted())
    waits = []
    while len(waits) < 6:
        if said := desk.works(seconds=1):
            waits.append(said[0].partition("again_in': '")[2].partition("'")[0])

    assert waits == ["0:00:02", "0:00:10", "0:01:00", "0:05:00", "0:05:00", "0:05:00"]


def test_nobody_at_the_address_is_told_without_it(desk: Desk) -> None:
    """Nor is an address that is none, or none at all, the end of anything."""
    desk.happens(extracted())
    desk.secret("endpoint", "http://127.0.0.1:9/a-path-that-is-secret")
    assert "ConnectError" in (said := desk.works()[0])
    assert "secret" not in said
    desk.secret("endpoint", "http://127.0.0.1:a-path-that-is-secret/")
    assert "make secret NAME=lineage/endpoint" in (said := desk.works(minutes=5)[0])
    assert "a-path" not in said
    (desk.secrets / "endpoint").unlink()

    assert "there is no address; give it: make secret NAME=lineage/endpoint" in desk.works(minutes=5)[0]
    assert desk.waiting == 1


def test_an_event_that_is_refused_is_given_up_and_told(desk: Desk) -> None:
    """Those after it go on."""
    desk.receiver.status = 422
    desk.happens(extracted())
    (said,) = desk.works()
    desk.receiver.status = 200
    desk.happens(loaded())
    desk.works()

    assert "refused, and given up" in said
    assert "HTTP 422" in said
    assert [event["job"]["name"] for event in desk.receiver.events] == ["orders.load"]


def test_without_an_endpoint_events_are_kept_for_people(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line each, the oldest first; of one pipeline, where it is named."""
    desk.settings("events: file")
    desk.happens(extracted(), loaded())
    desk.works()
    monkeypatch.setenv("ETL_OUTBOX", str(desk.outbox))

    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["job"]["name"] for line in lines] == ["orders.extract", "orders.load"]
    assert [complaints(json.loads(line)) for line in lines] == [[], []]
    assert main(["orders"]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert main(["another"]) == 0
    assert capsys.readouterr().out == ""
    assert (desk.receiver.events, desk.waiting) == ([], 0)


def test_what_is_kept_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files, of which the older goes."""
    desk.settings("events: file")
    monkeypatch.setattr(_sender, "MOST_BYTES", 10_000)
    for _ in range(20):
        desk.happens(loaded())
    desk.works()

    sizes = [(desk.outbox / file).stat().st_size for file in (EVENTS, EVENTS_BEFORE)]
    assert all(0 < size <= 10_000 for size in sizes)


def test_what_waits_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are given up, and the log says how many."""
    monkeypatch.setattr(_sender, "MOST_WAITING", 2)
    desk.receiver.status = 503
    desk.happens(extracted(), extracted(), loaded(), loaded())
    said = desk.works()
    desk.receiver.status = 200
    desk.works(minutes=5)

    assert "'given_up': 2" in said[0]
    assert [event["job"]["name"] for event in desk.receiver.events] == ["orders.load", "orders.load"]


def test_what_is_no_fact_is_put_aside_and_told(desk: Desk) -> None:
    """What comes after it goes on."""
    desk.happens(extracted())
    (desk.outbox / WAITING / "0-torn.json").write_text("{")
    said = desk.works()

    assert "put aside" in said[0]
    assert len(desk.receiver.events) == 1
    assert (desk.outbox / WAITING / "0-torn.unreadable").exists()


def test_what_waits_when_it_is_switched_off_is_dropped(desk: Desk) -> None:
    """Nobody is told what nobody wants to hear any more."""
    desk.happens(extracted())
    desk.settings("events: none")

    assert desk.works() == []
    assert (desk.receiver.events, desk.waiting) == ([], 0)


def test_it_is_off_by_itself_and_where_the_settings_are_wrong(desk: Desk, tmp_path: Path) -> None:
    """Mistakes are told by line, once; what happened before them waits until they are mended."""
    assert not is_wanted(tmp_path / "no-file.yaml")
    assert is_wanted(desk.file)
    desk.happens(extracted())
    desk.file.write_text(
        "events: everywhere\nnamespace: 'a b'\nconnections: {shop: postgres://user:a-password@db/shop, erp: db}\n"
    )
    said = desk.works()
    assert desk.works() == []

    assert not is_wanted(desk.file)
    words = said[0].replace("\\", "")
    for problem in (
        "config/lineage/settings.yaml has 4 problems:",
        "line 1, events: 'everywhere' is none of 'none', 'file' or 'endpoint'",
        "line 2, namespace: 'a b' is not a name",
        "connections.shop: a user or a password has no place in this file",
        "connections.erp: 'db' names no database",
        "docs/lineage.md",
    ):
        assert problem in words
    assert "a-password" not in said[0]
    desk.settings("events: endpoint")
    desk.works()
    assert len(desk.receiver.events) == 1


def test_the_settings_that_come_with_the_platform_are_the_defaults() -> None:
    """So that a file that is lost or empty means the same."""
    shipped = Path(__file__).parents[2] / "config" / "lineage" / "settings.yaml"
    assert read_lineage_settings(shipped) == LineageSettings()
