"""The commands behind `make new`, `check`, `run` and others: python -m etl_platform --help."""

import argparse
import json
import sys
from typing import Any

from etl_platform._authoring import add_commands


def main() -> int:
    """Run the command that the arguments name; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m etl_platform", description="Commands for pipelines.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add_commands(commands)

    run = commands.add_parser("run", help="run a pipeline now, and follow its stages to the end")
    run.add_argument("pipeline", metavar="PIPELINE")
    run.add_argument("--day", metavar="YYYY-MM-DD", help="what it is about; default: the last complete interval")
    run.add_argument("--start", metavar="YYYY-MM-DD[Thh:mm]", help="or a span of time, from here")
    run.add_argument("--end", metavar="YYYY-MM-DD[Thh:mm]", help="to here; a day belongs to it")
    run.add_argument("--dry-run", action="store_true", help="stop before load, and show what would be loaded")
    run.add_argument(
        "--full-refresh",
        action="store_true",
        help="read the sources from their beginning, and replace the tables' rows",
    )
    run.add_argument(
        "--param", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="one of the pipeline's params"
    )
    run.add_argument("--wait-for-dag", type=int, default=120, metavar="SECONDS", help="until Airflow has read the file")
    run.set_defaults(command=_run)

    replay = commands.add_parser("replay", help="let runs do their work once more, and follow them to the end")
    replay.add_argument("pipeline", metavar="PIPELINE")
    replay.add_argument("runs", nargs="+", metavar="RUN_ID", help="in the order of their intervals")
    replay.add_argument("--quarantined", nargs="+", required=True, metavar="RUN_ID", help="those that set rows aside")
    replay.set_defaults(command=_replay)

    print_reference = commands.add_parser("reference", help="print docs/pipelines.md")
    print_reference.set_defaults(command=_reference)

    print_schema = commands.add_parser("schema", help="print config/pipeline.schema.json")
    print_schema.set_defaults(command=_schema)

    arguments = parser.parse_args()
    code: int = arguments.command(arguments)
    return code


def _run(arguments: argparse.Namespace) -> int:
    """Run a pipeline through Airflow's REST API."""
    from etl_platform._follow import follow  # noqa: PLC0415 - `check` needs no HTTP client

    asked = {name: getattr(arguments, name) for name in ("day", "start", "end", "dry_run", "full_refresh")}
    conf = {name: value for name, value in asked.items() if value} | dict(arguments.param)
    return follow(arguments.pipeline, conf, arguments.wait_for_dag)


def _pair(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; what is JSON, such as a number, is taken as that, and a text needs no quotes."""
    name, found, value = text.partition("=")
    if not (name and found):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _replay(arguments: argparse.Namespace) -> int:
    """Run again through Airflow's REST API what set rows aside."""
    from etl_platform._replay import replay  # noqa: PLC0415 - as above

    def say(line: str) -> None:
        print(line, flush=True)

    return replay(arguments.pipeline, arguments.runs, set(arguments.quarantined), say)


def _reference(_: argparse.Namespace) -> int:
    """Print the page on pipeline files."""
    from etl_platform._reference import reference  # noqa: PLC0415 - only the page needs the models' schemas

    print(reference())
    return 0


def _schema(_: argparse.Namespace) -> int:
    """Print what editors know of a pipeline file."""
    from etl_platform._schema import schema_text  # noqa: PLC0415 - as above

    print(schema_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
