"""What people are told of runs, by a real mail server and a real webhook."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl_alerts._channels import without_address
from etl_alerts._notifier import WAITS
from etl_contract import Check, Interval, OnBreach
from tests.etl_alerts.conftest import DAY, Desk

PROBLEM = "DataError: 3 keys are there more than once: <9E>\n  where: load.orders\n  next:  Correct them."


def _check(breaches: int, *, rows: int = 1000, whole: bool = False) -> Check:
    return Check(
        dataset="orders",
        rule="price not null",
        on_breach=OnBreach.quarantine,
        rows=rows,
        breaches=breaches,
        examples=("row 7: Ada Lovelace",),
        whole=whole,
    )


def test_a_failed_run_is_one_message_in_each_channel(desk: Desk) -> None:
    """It says which pipeline, day and stage, what is wrong, what to do, and where log and report are."""
    subjects = desk.happens("failed", stage="load", problem=PROBLEM)

    assert subjects == ["orders failed in load (2026-03-07)"] == desk.hook.titles
    (mail,) = desk.mailbox.mails
    assert (mail["To"], "etl@example.org" in mail["From"]) == ("team@example.org", True)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for words in ("3 keys are there more than once", "load.orders", "Correct them.", "shop-team", "run-1"):
        assert words in text.get_content()
        assert words in html.get_content()
    assert 'href="http://localhost:8080/dags/orders/runs/run-1/tasks/load"' in html.get_content()
    assert 'href="http://localhost:8080/dags/orders/runs/run-1/plugin/report"' in html.get_content()
    (post,) = desk.hook.posts
    assert post["type"] == "failure"
    assert PROBLEM in post["message"]
    assert "Log: http://localhost:8080/dags/orders/runs/run-1/tasks/load" in post["message"]


def test_an_incident_is_told_once_and_its_end_once(desk: Desk) -> None:
    """Tries of a run again, and runs of other days that fail too, are the same incident, until one succeeds."""
    assert len(desk.happens("failed", stage="load")) == 1
    assert desk.happens("failed", stage="load") == []
    assert desk.happens("failed", "run-2", stage="extract") == []
    assert desk.happens("succeeded", "run-3") == ["orders works again (2026-03-07)"]
    assert desk.hook.posts[-1]["type"] == "success"
    assert "after 3 runs failed since 2026-03-08 12:00 UTC" in desk.hook.posts[-1]["message"]
    assert desk.happens("succeeded", "run-4") == []
    assert len(desk.happens("failed", "run-5", stage="load")) == 1


@pytest.mark.parametrize(
    ("failed", "idle", "well"),
    [
        (["extract"], "extract", True),
        (["transform"], "extract", False),
        (["load", "extract"], "extract", False),
        (["transform"], "load", True),
        (["visualize"], "load", False),
        (["problems"], "extract", True),
        ([""], "extract", True),
    ],
)
def test_a_run_with_nothing_to_do_ends_what_it_went_through(
    desk: Desk, failed: list[str], idle: str, *, well: bool
) -> None:
    """Of a stage that failed, and was not tried again, it knows nothing."""
    for number, stage in enumerate(failed):
        desk.happens("failed", f"run-{number}", stage=stage)

    assert desk.happens("succeeded", "run-8", stage=idle) == (["orders works again (2026-03-07)"] if well else [])
    assert len(desk.happens("succeeded", "run-9")) == (not well)


def test_a_trouble_that_lasts_is_told_again_as_often_as_the_defaults_say(desk: Desk) -> None:
    """A day later by default; never, where they say so."""
    assert len(desk.happens("failed", stage="load")) == 1
    desk.works(hours=23)
    assert desk.happens("failed", "run-2", stage="load") == []
    desk.works(hours=1)
    assert desk.happens("failed", "run-3", stage="load") == ["orders still fails in load (2026-03-07)"]
    desk.defaults("channels: [mail]\nrepeat: never\n")
    desk.works(days=30)
    assert desk.happens("failed", "run-4", stage="load") == []


def test_pipelines_have_incidents_of_their_own(desk: Desk) -> None:
    """One that succeeds ends nothing of another."""
    desk.pipeline("items")
    assert len(desk.happens("failed", stage="load")) == 1
    assert len(desk.happens("failed", pipeline="items", stage="load")) == 1
    assert desk.happens("succeeded", "run-2", pipeline="items") == ["items works again (2026-03-07)"]
    assert desk.happens("succeeded", "run-2") == ["orders works again (2026-03-07)"]


def test_a_late_run_is_told_once_and_so_is_its_end(desk: Desk) -> None:
    """Another run's success does not end it; its own does."""
    desk.pipeline("orders", "alerts: {deadline: 2 hours}\n")
    assert desk.happens("late") == ["orders is late (2026-03-07)"]
    assert "has not ended within 2 hours" in desk.hook.posts[-1]["message"]
    assert desk.hook.posts[-1]["type"] == "warning"
    assert desk.happens("succeeded", "run-2") == []
    assert desk.happens("succeeded") == ["orders has ended, late (2026-03-07)"]


def test_a_late_run_whose_end_nobody_hears_of_silences_no_later_one(desk: Desk) -> None:
    """A person marked it. Once another has ended, the next is news, even where nothing is repeated."""
    desk.defaults("channels: [mail, hook]\nrepeat: never\n")
    assert desk.happens("late") == ["orders is late (2026-03-07)"]
    assert desk.happens("late", "run-2") == []
    assert desk.happens("succeeded", "run-2") == []
    desk.works(hours=1)
    assert desk.happens("late", "run-3") == ["orders is late (2026-03-07)"]
    assert "It is so since" not in desk.hook.posts[-1]["message"]
    assert desk.happens("succeeded", "run-3") == ["orders has ended, late (2026-03-07)"]


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_a_run_in_time_makes_the_next_late_one_news(desk: Desk, end: str) -> None:
    """However it ended."""
    assert len(desk.happens("late")) == 1
    desk.happens(end, "run-2", stage="load" if end == "failed" else "")
    desk.works(hours=1)

    assert desk.happens("late", "run-3") == ["orders is late (2026-03-07)"]


def test_runs_that_are_late_one_behind_the_other_are_one_message(desk: Desk) -> None:
    """As long as each ends before those behind it."""
    assert len(desk.happens("late")) == 1
    assert desk.happens("late", "run-2") == []
    assert desk.happens("succeeded") == []
    assert desk.happens("late", "run-3") == []
    assert desk.happens("succeeded", "run-2") == []
    assert desk.happens("succeeded", "run-3") == ["orders has ended, late (2026-03-07)"]


def test_a_run_that_has_ended_is_not_late_any_more(desk: Desk) -> None:
    """Word of it may come after that of its end, since it waits for a slot."""
    deadline = desk.now
    desk.works(minutes=1)
    desk.happens("succeeded")

    assert desk.happens("late", at=deadline) == []
    assert desk.happens("late", "run-2") == ["orders is late (2026-03-07)"]


def test_a_run_that_is_run_again_may_be_late(desk: Desk) -> None:
    """Its deadline is another one then."""
    assert len(desk.happens("failed", stage="load")) == 1
    desk.works(hours=2)

    assert desk.happens("late") == ["orders is late (2026-03-07)"]


def test_a_run_that_failed_is_not_late_too(desk: Desk) -> None:
    """Nor is one that was late ended twice by its failure and its recovery."""
    assert len(desk.happens("failed", stage="load")) == 1
    assert desk.happens("late") == []
    assert desk.happens("late", "run-2") == ["orders is late (2026-03-07)"]
    assert desk.happens("failed", "run-2", stage="load") == []
    assert desk.happens("succeeded", "run-3") == ["orders works again (2026-03-07)"]


def test_a_breach_is_told_though_the_run_succeeded_but_no_row_is(desk: Desk) -> None:
    """How many rows breached which rule; whose they are stays where it is."""
    assert desk.happens("succeeded", checks=(_check(30), _check(0))) == ["orders: 1 rule is breached (2026-03-07)"]
    message = desk.hook.posts[-1]["message"]
    assert "orders: price not null (30 of 1,000 rows; these were set aside)" in message
    assert "Lovelace" not in message
    assert desk.happens("succeeded", "run-2", checks=(_check(40),)) == []
    assert desk.happens("succeeded", "a-run-that-loads-nothing") == []
    assert desk.happens("succeeded", "run-3", checks=(_check(0),)) == ["orders: its checks hold again (2026-03-07)"]


@pytest.mark.parametrize(
    ("check", "told"), [(_check(10), 0), (_check(11), 1), (_check(1, whole=True), 1), (_check(0, whole=True), 0)]
)
def test_a_breach_counts_above_its_share(desk: Desk, check: Check, told: int) -> None:
    """A rule over all rows at once has no share: it is breached or not."""
    desk.pipeline("orders", "alerts: {breach: 0.01}\n")

    assert len(desk.happens("succeeded", checks=(check,))) == told


@pytest.mark.parametrize(
    ("alerts", "mails", "posts"),
    [
        ("", 2, 2),
        ("alerts: {channels: [hook]}\n", 0, 2),
        ("alerts: {channels: []}\n", 0, 0),
        ("alerts: {events: []}\n", 0, 0),
        ("alerts: {events: [recovery]}\n", 0, 0),
        ("alerts: {events: [failure]}\n", 1, 1),
    ],
)
def test_a_pipeline_says_of_what_and_by_which_channels(desk: Desk, alerts: str, mails: int, posts: int) -> None:
    """What it leaves out is as for all; nobody is told the end of what they were not told."""
    desk.pipeline("orders", alerts)
    desk.happens("failed", stage="load")
    desk.happens("succeeded", "run-2")

    assert (len(desk.mailbox.mails), len(desk.hook.posts)) == (mails, posts)


def test_a_channel_that_does_not_take_a_message_is_tried_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The other has it at once, and only once; the reason is logged, without the address."""
    desk.hook.refusing = True
    assert len(desk.happens("failed", stage="load")) == 1
    said = capsys.readouterr().out
    assert "not sent" in said
    assert "503" in said
    assert "a-path-that-is-secret" not in said
    desk.hook.refusing = False
    desk.works(seconds=5)
    assert desk.hook.posts == []
    desk.works(seconds=6)
    desk.works(days=1)
    assert (len(desk.hook.posts), len(desk.mailbox.mails)) == (1, 1)


def test_a_mail_server_that_refuses_is_tried_again(desk: Desk) -> None:
    """Its message is not lost, whatever comes between."""
    desk.mailbox.refusing = True
    desk.happens("failed", stage="load")
    desk.mailbox.refusing = False
    desk.notifier = desk.start()

    assert desk.works(seconds=11) == ["orders failed in load (2026-03-07)"]


def test_a_channel_that_is_down_for_long_gets_its_messages_in_their_order(desk: Desk) -> None:
    """What is new is tried behind what waits, which would else come after its own end."""
    desk.mailbox.refusing = True
    desk.happens("failed", stage="load")
    for _ in range(12):
        desk.works(hours=1)
    desk.happens("succeeded", "run-2")
    assert desk.works(seconds=5) == []
    desk.mailbox.refusing = False

    assert desk.works(seconds=6) == ["orders failed in load (2026-03-07)", "orders works again (2026-03-07)"]
    assert list((desk.outbox / "letters").iterdir()) == []


def test_a_channel_that_never_answers_is_given_up(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """After a day, with an error in the log."""
    assert sum(WAITS, timedelta()) >= timedelta(hours=23)
    desk.channel("hook", "json://127.0.0.1:9/another-secret-path")
    desk.happens("failed", stage="load")
    for wait in WAITS:
        desk.works(seconds=int(wait.total_seconds()) + 1)

    said = capsys.readouterr().out
    assert said.count("again_in") == len(WAITS)
    assert "given up" in said
    assert "another-secret-path" not in said
    assert list((desk.outbox / "letters").iterdir()) == []


def test_a_channel_without_an_address_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that gives it one; once it has, the message goes out."""
    desk.defaults("channels: [chat]\n")
    desk.happens("failed", stage="load")
    assert "make secret NAME=alerts/chat" in capsys.readouterr().out
    desk.channel("chat", f"json://127.0.0.1:{desk.hook.port}/")
    desk.works(seconds=11)

    assert len(desk.hook.posts) == 1


def test_a_restart_forgets_nothing(desk: Desk) -> None:
    """The incident is still the same one."""
    desk.happens("failed", stage="load")
    desk.notifier = desk.start()

    assert desk.happens("failed", "run-2", stage="load") == []
    assert desk.happens("succeeded", "run-3") == ["orders works again (2026-03-07)"]


def test_a_stop_in_the_middle_tells_nothing_twice_or_never(desk: Desk) -> None:
    """The letters of a happening that is taken in again are the same files."""
    desk.mailbox.refusing = desk.hook.refusing = True
    desk.happens("failed", stage="load")
    letters = sorted((desk.outbox / "letters").iterdir())
    name = letters[0].name.rpartition("-")[0].rpartition("-")[0]
    happening: dict[str, Any] = {
        "kind": "failed",
        "at": desk.now.isoformat(),
        "pipeline": "orders",
        "run_id": "run-1",
        "interval": DAY.model_dump(mode="json"),
        "stage": "load",
    }
    (desk.outbox / "incidents.json").unlink()
    (desk.outbox / "happened" / f"{name}.json").write_text(json.dumps(happening))
    desk.works()
    assert sorted((desk.outbox / "letters").iterdir()) == letters
    desk.mailbox.refusing = desk.hook.refusing = False

    assert len(desk.works(minutes=2)) == 1


def test_bad_defaults_keep_what_happened_until_they_are_good(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """They are told once, by file and line; then people are told all."""
    desk.defaults("channels: [mail]\nevents: [failures]\nrepeet: 1 day\ndeadline: soon\n")
    assert desk.happens("failed", stage="load") == []
    said = capsys.readouterr().out
    for words in (
        "config/alerts/defaults.yaml has 3 problems:",
        "line 2, events.1: 'failures' is none of 'failure', 'deadline', 'breach' or 'recovery'",
        "line 3, repeet: no such field; did you mean 'repeat'?",
        "line 4, deadline: 'soon' is not a span of time",
    ):
        assert words in said
    desk.works()
    assert capsys.readouterr().out == ""
    desk.defaults("channels: [mail]\n")
    assert len(desk.works()) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"of_a_later_version": 1}', "\udcff"])
@pytest.mark.parametrize("name", ["happened/0.json", "letters/0.json", "incidents.json"])
def test_a_file_that_cannot_be_read_is_put_aside(
    desk: Desk, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    """It is kept, and told with what to do; it holds up nothing."""
    (desk.outbox / name).write_text(text, errors="surrogateescape")
    assert len(desk.happens("failed", stage="load")) == 1

    said = capsys.readouterr().out
    aside = name.replace(".json", ".unreadable")
    assert f"{name} cannot be read, and is put aside as {aside}" in said
    assert f"docker compose exec notifier cat /outbox/{aside}" in said
    assert (desk.outbox / aside).read_text(errors="surrogateescape") == text
    desk.works()
    assert capsys.readouterr().out == ""


def test_a_pipeline_whose_file_is_gone_or_broken_is_told_of_all_the_same(desk: Desk) -> None:
    """By the channels of all; a run that does not know its day is named instead."""
    assert desk.happens("failed", pipeline="gone", stage="load") == ["gone failed in load (2026-03-07)"]
    desk.pipeline("orders", "alerts: {chanels: [hook]}\n")
    assert desk.happens("failed", stage="problems", interval=None) == ["orders failed in problems (run-1)"]


def test_a_day_is_one_of_the_pipelines_own_clock(desk: Desk) -> None:
    """Airflow tells the interval of a late run by Greenwich."""
    desk.pipeline("orders", "timezone: America/New_York\n")
    day = Interval(start=datetime(2026, 3, 7, 5, tzinfo=UTC), end=datetime(2026, 3, 8, 5, tzinfo=UTC))

    assert desk.happens("late", interval=day) == ["orders is late (2026-03-07)"]


def test_a_trouble_without_a_word_says_so(desk: Desk) -> None:
    """A task whose process was killed left none."""
    desk.happens("failed", stage="load")

    assert "The task left no word of why" in desk.hook.posts[0]["message"]


def test_nothing_of_an_address_is_left() -> None:
    """Hosts, users, passwords, paths and queries may each be a key."""
    address = "mailtos://user:p%40ssword@smtp.example.org:587?to=team@example.org"
    said = "550 user p@ssword p%40ssword smtp.example.org team@example.org refused"

    assert without_address(said, address) == "550 *** *** *** *** ***@*** refused"


def test_what_is_shipped_tells_nobody_until_somebody_wants_it(desk: Desk) -> None:
    """There is no channel in the file of the repository."""
    desk.defaults((Path(__file__).parents[2] / "config" / "alerts" / "defaults.yaml").read_text())

    assert desk.happens("failed", stage="load") == []
    assert list((desk.outbox / "letters").iterdir()) == []
