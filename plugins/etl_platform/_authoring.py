"""The commands for authors: what they write is checked and tried before Airflow runs it."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_contract import StageError
from etl_platform._pipeline import Broken, Pipeline, read_pipelines
from etl_platform._problems import guess
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

    test = commands.add_parser(
        "test",
        help="run the given rows of pipelines' cases through their transforms, and compare with the expected ones",
        description="Exit code: 0 if all pass, 1 if one does not, 2 if there is none or they could not be run.",
    )
    test.add_argument("pipelines", nargs="*", metavar="PIPELINE", help="only these; all of the folder if none is named")
    _common(test, _test)


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

    read = check(_named(arguments), None if arguments.texts_only else engine(), Settings.of_environment())
    if arguments.json:
        print(json.dumps([_plain(item) for item in read], indent=2))
    else:
        for item in read:
            well = f"config/pipelines/{item.name}.yaml is well"
            print(item if isinstance(item, Broken) else f"{well}: {' > '.join(item.stages)}")
    return int(any(isinstance(item, Broken) for item in read))


def _test(arguments: argparse.Namespace) -> int:
    """Run every case; print each as it ends."""
    from etl_platform._cases import try_cases  # noqa: PLC0415 - only here
    from etl_platform._once import engine  # noqa: PLC0415 - as above

    client, settings = engine(), Settings.of_environment()
    tried = []
    for item in _named(arguments):
        if isinstance(item, Broken):
            raise StageError(str(item))
        for case in try_cases(item, arguments.folder, client, settings):
            tried.append(case)
            if not arguments.json:
                print(case, flush=True)
    failed = sum(bool(case.problems) for case in tried)
    if arguments.json:
        print(json.dumps([case._asdict() for case in tried], indent=2))
    elif tried:
        print(f"{len(tried) - failed} passed, {failed} failed")
    if not tried:
        raise StageError("there is no case", where="config/pipelines/tests", hint="Write one: docs/first-pipeline.md")
    return int(failed > 0)


def _named(arguments: argparse.Namespace) -> list[Pipeline | Broken]:
    """Read the pipelines that the arguments name, or all.

    Raises:
        StageError: there is no such pipeline.
    """
    read = list(read_pipelines(arguments.folder))
    names = [item.name for item in read]
    if unknown := sorted(set(arguments.pipelines) - set(names)):
        raise StageError(f"there is no config/pipelines/{unknown[0]}.yaml{guess(unknown[0], names)}")
    return [item for item in read if not arguments.pipelines or item.name in arguments.pipelines]


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
