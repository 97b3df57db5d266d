"""The commands for authors: what they write is checked and tried before Airflow runs it."""

import argparse
import json
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from etl_contract import Name, StageError
from etl_platform._pipeline import Broken, Pipeline, read_pipelines
from etl_platform._problems import guess
from etl_platform._questions import answer
from etl_platform._settings import Settings

if TYPE_CHECKING:
    from etl_platform._new import Wish

    # Only where the word of a type is needed: `_SubParsersAction` has no public name.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

SOURCE = (
    "an address such as https://example.org/orders.csv, files of the inbox such as orders/*.csv, or CONNECTION.TABLE"
)
LANGUAGES = ("pandas", "sql", "none")
LANGUAGE = "what the transform is written in: pandas, sql, or none (pandas)"
KEY = "the columns that name a row, with commas between; without any, each run replaces all rows"
SCHEDULE = "when it runs: a cron expression, @hourly, @daily, ... (@daily)"
NEXT = """
Edit it, and then:
  make check PIPELINE={name}           says what is wrong with it
  make pipeline-test PIPELINE={name}   runs its test
  make try PIPELINE={name}             shows what its source would load, and loads nothing
  make run PIPELINE={name}             runs it, and switches its schedule on"""
TIMEZONE = "the time zone of its days, such as Europe/Paris (UTC)"


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

    new = commands.add_parser(
        "new",
        help="write a pipeline to begin with: its file, its twin, and a test of its own",
        description="Asks in a terminal for what no option says. Exit code: 0, or 2 if nothing was written.",
    )
    new.add_argument("pipeline", metavar="PIPELINE", help="lower-case letters, digits and _")
    new.add_argument("--from", dest="source", metavar="SOURCE", help=SOURCE)
    new.add_argument("--transform", dest="language", choices=LANGUAGES, help=LANGUAGE)
    new.add_argument("--key", metavar="COLUMN,...", help=KEY)
    new.add_argument("--schedule", metavar="CRON", help=SCHEDULE)
    new.add_argument("--timezone", metavar="ZONE", help=TIMEZONE)
    new.add_argument("--no-look", action="store_true", help="do not look at the source for its columns")
    _common(new, _new)

    attempt = commands.add_parser(
        "try",
        help="extract and transform a sample in the real images, and show what would be loaded; loads nothing",
        description="Exit code: 0 if all went well, 1 if a stage failed, 2 if it could not be tried.",
    )
    attempt.add_argument("pipeline", metavar="PIPELINE")
    attempt.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="default: the last complete interval")
    attempt.add_argument(
        "--rows", type=_rows, default=10_000, help="of each table or query, at most; 0 for all (10000)"
    )
    _common(attempt, _try)

    usage = commands.add_parser(
        "usage",
        help="lay what stages took beside their limits, and propose limits; takes lines of etl.stage_runs as JSON",
        description="Exit code: 0, or 2 if it could not be found out.",
    )
    usage.add_argument(
        "pipelines", nargs="*", metavar="PIPELINE", help="only these; all of the folder if none is named"
    )
    _common(usage, _usage)


def _common(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    """Give a command what each of them has."""
    parser.add_argument("--folder", type=Path, default=Settings.of_environment().pipelines, help="where the files are")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def told(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except StageError as error:
            _tell(error)
            return 2
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
            return 130

    parser.set_defaults(command=told)


def _tell(error: StageError) -> None:
    """Print an error in its three parts."""
    parts = [f"\nerror: {error.problem}"]
    parts += [f"  where: {error.where}"] if error.where else []
    parts += [f"  to do: {error.hint}"] if error.hint else []
    print("\n".join(parts), file=sys.stderr)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no day; write one such as 2026-01-31") from None


def _rows(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of rows; write one such as 100, or 0 for all")
    return int(text)


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


def _new(arguments: argparse.Namespace) -> int:
    """Write the files, and say what to do next."""
    from etl_platform._new import Wish, write_pipeline  # noqa: PLC0415 - only here

    name = _valid(TypeAdapter(Name), arguments.pipeline)
    wish = Wish(
        name=name,
        source=answer(arguments.source, SOURCE),
        language=answer(arguments.language, LANGUAGE, "pandas", LANGUAGES),
        key=tuple(filter(None, re.split(r"[,\s]+", answer(arguments.key, KEY, "")))),
        schedule=answer(arguments.schedule, SCHEDULE, "@daily"),
        timezone=answer(arguments.timezone, TIMEZONE, "UTC"),
    )
    if not arguments.no_look:
        wish = _looked_at(wish)
    written = [f"config/pipelines/{path}" for path in write_pipeline(wish, arguments.folder)]
    if arguments.json:
        print(json.dumps({"pipeline": name, "written": written}, indent=2))
    else:
        print("\n".join(f"wrote {path}" for path in written))
        print(NEXT.format(name=name))
    return 0


def _looked_at(wish: "Wish") -> "Wish":
    """Look at the source for its columns; where that cannot be, say why, and go on with an example's."""
    from etl_platform._look import look  # noqa: PLC0415 - only here
    from etl_platform._once import engine  # noqa: PLC0415 - as above
    from etl_platform._waiting import waiting  # noqa: PLC0415 - as above

    try:
        with waiting("looking at the source"):
            seen = look(wish, engine(), Settings.of_environment())
    except (StageError, ValidationError) as error:
        problem = error.problem if isinstance(error, StageError) else "it is none"
        print(f"The source was not looked at, so the columns are an example's: {problem}", file=sys.stderr)
        return wish
    print(
        f"The source has: {', '.join(f'{name} {written}' for name, written in seen.columns.items())}", file=sys.stderr
    )
    return seen


def _try(arguments: argparse.Namespace) -> int:
    """Run the stages over a sample; print what came of it."""
    from etl_platform._once import engine  # noqa: PLC0415 - only here
    from etl_platform._shown import plain_trial, shown_trial  # noqa: PLC0415 - as above
    from etl_platform._try import Sample, StageFailed, try_pipeline  # noqa: PLC0415 - as above
    from etl_platform._waiting import waiting  # noqa: PLC0415 - as above

    arguments.pipelines = [arguments.pipeline]
    (pipeline,) = _named(arguments)
    if isinstance(pipeline, Broken):
        raise StageError(str(pipeline))
    sample = Sample(arguments.day, arguments.rows or None)
    try:
        trial = try_pipeline(pipeline, sample, engine(), Settings.of_environment(), waiting)
    except StageFailed as error:
        _tell(error)
        return 1
    print(json.dumps(plain_trial(trial), indent=2) if arguments.json else shown_trial(pipeline, trial))
    return 0


def _usage(arguments: argparse.Namespace) -> int:
    """Print each pipeline's stages with what their tries took, which standard input tells."""
    from etl_platform._usage import Try, usage_of  # noqa: PLC0415 - only here
    from etl_platform._usage_shown import plain_usage, shown_usage  # noqa: PLC0415 - as above

    tries = [Try.model_validate_json(line) for line in sys.stdin if line.strip()]
    read = [(item, usage_of(item, tries) if isinstance(item, Pipeline) else []) for item in _named(arguments)]
    print(json.dumps(plain_usage(read), indent=2) if arguments.json else shown_usage(read))
    return 0


def _valid(adapter: TypeAdapter[str], text: str) -> str:
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        raise StageError(str(error.errors()[0]["ctx"]["error"])) from None


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
