"""Runs `python -m etl_alerts`: the service `notifier`, its health check, and `make alert-test`."""

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime
from threading import Thread

from etl_alerts._channels import Channels, NotSent
from etl_alerts._message import Link, Message
from etl_alerts._notifier import ALIVE, WEB, notifier_of, serve
from etl_alerts._outbox import OUTBOX
from etl_contract._log import configure_logging
from etl_lineage._sender import sender_of, serve_lineage
from etl_platform import Pipeline, read_pipelines
from etl_platform._alerts import read_alert_defaults
from etl_platform._settings import Settings
from etl_platform._settings_file import BadSettings

ALIVE_SECONDS = 180  # a channel that does not answer is waited for


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m etl_alerts", description="Tells people what became of runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="send what is in the outbox, until the end")
    commands.add_parser("health", help="say whether the service is at work")
    test = commands.add_parser("test", help="send a message through channels, and say what came of it")
    test.add_argument("channels", nargs="*", metavar="CHANNEL", help="all that have an address, where none is named")
    options = parser.parse_args(arguments)
    if options.command == "health":
        return _health()
    if options.command == "test":
        return _test(options.channels)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    configure_logging()
    # Beside the alerts, which wait for nobody's endpoint of lineage.
    Thread(target=serve_lineage, args=(sender_of(),), daemon=True).start()
    serve(notifier_of())
    return 0


def _health() -> int:
    alive = OUTBOX / ALIVE
    age = time.time() - alive.stat().st_mtime if alive.exists() else None
    if age is not None and age < ALIVE_SECONDS:
        return 0
    print("it has not begun yet" if age is None else f"it was at work {age:.0f} s ago")
    return 1


def _test(names: list[str]) -> int:
    """Send a test message through each channel; tell of the file of defaults, too."""
    channels, settings = Channels(), Settings.of_environment()
    defaults = read_alert_defaults(settings.alerts)
    failed = isinstance(defaults, BadSettings)
    named = {*channels.names()}
    if isinstance(defaults, BadSettings):
        print(f"{defaults}")
    else:
        named |= {*defaults.channels}
    for pipeline in read_pipelines(settings.pipelines):
        if isinstance(pipeline, Pipeline) and pipeline.alerts is not None:
            named |= {*(pipeline.alerts.channels or ())}
    wanted = names or sorted(named)
    if not wanted:
        print("There is no channel yet. Give one its address: make secret NAME=alerts/mail")
        return 1
    web = os.environ.get("AIRFLOW__API__BASE_URL", WEB)
    for name in wanted:
        said = Message(
            f"A test of the channel {name}",
            (f"This is a test, sent at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. Alerts of pipelines look like it.",),
            links=(Link("Airflow", web),),
        )
        try:
            channels.send(name, said)
        except NotSent as error:
            failed = True
            print(f"{name}: not sent: {error}")
        else:
            print(f"{name}: sent")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
