"""Alerts of the running platform, by a real mail server and a real webhook."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests._stack import Stack, until
from tests.etl_alerts.receiving import Hook, Mailbox, mail_server, web_server

SECRET = "a-path-that-is-secret"  # noqa: S105 - of the test's own webhook
YAML = """\
description: A pipeline of the tests
extract:
  airlines: {{sql: source, table: airlines}}
transform:
  pandas: {name}.py:change
expect:
  airlines: {{on_breach: quarantine, columns: {{name: {{}}}}}}
load:
  airlines: {{table: mart.{name}, mode: upsert, key: [carrier]}}
alerts: {{channels: [mail, hook], deadline: {deadline}}}
retries: 1
"""
WELL = "return {'airlines': airlines}"
ILL = "return {'airlines': airlines[['carier']]}"
LATE = "import time; time.sleep(50); return {'airlines': airlines}"
BREACH = "airlines.loc[airlines['carrier'] == 'AA', 'name'] = None; return {'airlines': airlines}"


def _files(name: str, body: str, deadline: str = "never") -> dict[str, str]:
    return {
        f"{name}.yaml": YAML.format(name=name, deadline=deadline),
        f"{name}.py": f"def change(airlines):\n    {body}\n",
    }


class Receivers(NamedTuple):
    """Who is told, and what they were."""

    mailbox: Mailbox
    hook: Hook

    def told(self, subject: str, seconds: float = 60) -> None:
        """Wait until both have a message of this subject, and hold them to one."""
        until(lambda: subject in self.mailbox.subjects and subject in self.hook.titles, seconds)
        assert (self.mailbox.subjects.count(subject), self.hook.titles.count(subject)) == (1, 1)

    def about(self, name: str) -> list[str]:
        """Give the subjects of the mails about a pipeline."""
        return [subject for subject in self.mailbox.subjects if subject.startswith(name)]


@pytest.fixture(scope="module")
def receivers(stack: Stack, host: str) -> Iterator[Receivers]:
    """Serve where the notifier's way out leads, and give it the addresses as a person does."""
    with ExitStack() as until_the_end:
        mailbox = until_the_end.enter_context(mail_server(host))
        hook = until_the_end.enter_context(web_server(host))
        addresses = {
            "mail": f"mailto://{host}:{mailbox.port}?from=etl@example.org&to=team@example.org",
            "hook": f"json://{host}:{hook.port}/{SECRET}",
        }
        for name, address in addresses.items():
            said = stack._run(["setup/secret.sh", f"alerts/{name}"], stdin=address)
            assert f"channel {name} has its address" in said
        yield Receivers(mailbox, hook)


def test_a_test_message_goes_through_every_channel(stack: Stack, receivers: Receivers) -> None:
    """It says what came of each, and so does its exit code."""
    said = stack.script("setup/alert-test.sh")

    assert sorted(said.splitlines()) == ["hook: sent", "mail: sent"]
    assert "A test of the channel mail" in receivers.mailbox.subjects
    assert "A test of the channel hook" in receivers.hook.titles


def test_a_failure_is_told_once_and_its_end_once(stack: Stack, receivers: Receivers) -> None:
    """A second run that fails is part of it; the first success ends it."""
    with stack.pipeline("ill", _files("ill", ILL)):
        run_id = stack.trigger("ill", "2026-03-07")
        assert stack.wait_for_run("ill", run_id) == "failed"
        receivers.told("ill failed in transform (2026-03-07)")
        message = receivers.hook.posts[-1]["message"]
        assert "config/pipelines/ill.py, line 2, in change" in message
        assert "carier" in message
        assert f"/dags/ill/runs/{run_id}/tasks/transform" in message
        again = stack.trigger("ill", "2026-03-08")
        assert stack.wait_for_run("ill", again) == "failed"
        (stack.pipelines / "ill.py").write_text(_files("ill", WELL)["ill.py"])
        stack.wait_for_code("ill", WELL)
        stack.run("ill", "2026-03-08")
        receivers.told("ill works again (2026-03-08)")
        stack.run("ill", "2026-03-07")

        assert receivers.about("ill") == ["ill failed in transform (2026-03-07)", "ill works again (2026-03-08)"]
        assert "after 2 runs failed since" in receivers.hook.posts[-1]["message"]


def test_a_missed_deadline_is_told_while_the_run_goes_on(stack: Stack, receivers: Receivers) -> None:
    """Airflow notices it, without a triggerer; nothing is stopped."""
    with stack.pipeline("late", _files("late", LATE, deadline="5 seconds")):
        run_id = stack.trigger("late", "2026-03-07")
        receivers.told(f"late is late ({run_id})")
        assert stack.run_state("late", run_id) == "running"
        assert stack.wait_for_run("late", run_id) == "success"
        receivers.told("late has ended, late (2026-03-07)")

        assert receivers.about("late") == [f"late is late ({run_id})", "late has ended, late (2026-03-07)"]


def test_a_breach_is_told_of_a_run_that_succeeded(stack: Stack, receivers: Receivers) -> None:
    """And that the rules hold again; how many rows, not whose."""
    with stack.pipeline("impure", _files("impure", BREACH)):
        stack.run("impure", "2026-03-07")
        receivers.told("impure: 1 rule is breached (2026-03-07)")
        assert "airlines: name not null (1 of 16 rows; these were set aside)" in receivers.hook.posts[-1]["message"]
        (stack.pipelines / "impure.py").write_text(_files("impure", WELL)["impure.py"])
        stack.wait_for_code("impure", f"def change(airlines):\n    {WELL}")
        stack.run("impure", "2026-03-07")

        receivers.told("impure: its checks hold again (2026-03-07)")


def test_addresses_are_seen_by_the_notifier_alone(stack: Stack, receivers: Receivers) -> None:
    """They stand in no environment, argument or log; who may reach the Engine or a database has no way out."""
    containers = stack.compose("ps", "--all", "--quiet").split()
    inspected = stack.docker("inspect", *containers)
    assert SECRET not in inspected
    assert SECRET not in stack.compose("logs", "--no-color")
    for service in ("airflow-scheduler", "airflow-dag-processor", "airflow-apiserver"):
        assert stack.compose("exec", "-T", service, "sh", "-c", "ls /run/secrets/alerts 2>/dev/null || true") == ""
    networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    assert stack.docker(
        "inspect", "--format", networks, *stack.compose("ps", "--quiet", "notifier").split()
    ).split() == [f"{stack.project}_alerts"]
