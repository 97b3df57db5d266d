"""The commands for authors: what they write is checked and tried before Airflow runs it."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_contract import StageError
from etl_platform._pipeline import Broken, Pipeline, read_pipelines
from etl_platform._settings import Settings

if TYPE_CHECKING:
    # Only where the word of a type is needed: `_SubParsersAction` has no public name.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


def add_commands(commands: "Commands") -> None:
    """Add the commands to those that there are."""
    check = commands.add_parser(
        "check",
        help="say what is wrong with the pipeline files; runs nothing",
        description="Exit code: 0 if all are well, 1 if one has a problem, 2 if it could not be found out.",
    )
    check.add_argument(
        "pipelines", nargs="*", metavar="PIPELINE", help="only these; all of the folder if none is named"
    )
    check.add_argument("--texts-only", action="store_true", help="import no twin and ask no Docker Engine")
    _common(check, _check)


def _common(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    """Give a command what each of them has."""
    parser.add_argument("--folder", type=Path, default=Settings.of_environment().pipelines, help="where the files are")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def told(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except StageError as error:
            parts = [f"\nerror: {error.problem}"]
            parts += [f"  where: {error.where}"] if error.where else []
            parts += [f"  to do: {error.hint}"] if error.hint else []
            print("\n".join(parts), file=sys.stderr)
            return 2

    parser.set_defaults(command=told)


def _check(arguments: argparse.Namespace) -> int:
    """Read every pipeline; print its problems, or that it has none."""
    from etl_platform._check import check  # noqa: PLC0415 - only here
    from etl_platform._once import engine  # noqa: PLC0415 - as above

    read = [
        item for item in read_pipelines(arguments.folder) if not arguments.pipelines or item.name in arguments.pipelines
    ]
    if unknown := set(arguments.pipelines) - {item.name for item in read}:
        print(f"There is no config/pipelines/{min(unknown)}.yaml.", file=sys.stderr)
        return 2
    read = check(read, None if arguments.texts_only else engine(), Settings.of_environment())
    if arguments.json:
        print(json.dumps([_plain(item) for item in read], indent=2))
    else:
        for item in read:
            well = f"config/pipelines/{item.name}.yaml is well"
            print(item if isinstance(item, Broken) else f"{well}: {' > '.join(item.stages)}")
    return int(any(isinstance(item, Broken) for item in read))


def _plain(item: Pipeline | Broken) -> dict[str, Any]:
    """Tell of a file in the words of JSON."""
    problems = item.problems if isinstance(item, Broken) else ()
    return {
        "pipeline": item.name,
        "file": f"config/pipelines/{item.name}.yaml",
        "stages": [stage.value for stage in item.stages] if isinstance(item, Pipeline) else [],
        "problems": [
            {"line": problem.line, "path": list(problem.path), "message": problem.message} for problem in problems
        ],
    }
