"""Runs `python -m etl_lineage`: prints the events that were kept, for `make lineage`."""

import argparse
import json
import sys

from etl_lineage._sender import EVENTS, EVENTS_BEFORE
from etl_platform._settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Print each event as a line of JSON, the oldest first; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m etl_lineage", description="Prints events of OpenLineage.")
    parser.add_argument("pipelines", nargs="*", metavar="PIPELINE", help="only these")
    options = parser.parse_args(arguments)
    outbox = Settings.of_environment().outbox
    for file in (outbox / EVENTS_BEFORE, outbox / EVENTS):
        if file.exists():
            with file.open(encoding="utf-8") as events:
                for line in events:
                    pipeline = json.loads(line)["job"]["name"].partition(".")[0]
                    if not options.pipelines or pipeline in options.pipelines:
                        sys.stdout.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
