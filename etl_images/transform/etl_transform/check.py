"""Tries what authors wrote, without any rows: python -m etl_transform.check.

It imports each twin, looks for the function and what that takes, and parses each query. $ETL_TASK_0, $ETL_TASK_1, ...
are TransformTasks, whose inputs have names and no files; each is answered by a marked line, with the nonce
"$ETL_NONCE-0" and so on, and a fault that has a problem a line.
"""

import os
import re
from itertools import count

from etl_contract import (
    Fault,
    Outcome,
    SpecError,
    SqlTransform,
    StageError,
    StageResult,
    TransformTask,
    marked,
    steps_of,
)
from etl_transform._script import Output

_SEVERAL = re.compile(r"\d+ problems:\n")


def check(task: TransformTask) -> None:
    """Read the steps of a task.

    Raises:
        SpecError: something in them cannot work.
    """
    known: list[str] | None = [dataset.name for dataset in task.inputs]
    problems: list[str] = []
    for number, step in enumerate(steps_of(task.spec), start=1):
        section = f"transform.{number}" if isinstance(task.spec, tuple) else "transform"
        try:
            if isinstance(step, SqlTransform):
                from etl_transform._sql import read_work  # noqa: PLC0415 - DuckDB and pandas take a while

                outputs = [item.name for item in read_work(task, step, f"{section}.sql") if isinstance(item, Output)]
                known = None if known is None else [*known, *outputs]
            else:
                from etl_transform._author import load_function  # noqa: PLC0415 - as above

                function = load_function(step, task.files)
                if known is not None:
                    function.arguments(known)
                known = None  # only a run shows what a function returns
        except SpecError as problem:
            problems += _lines(problem)
            known = None
    if problems:
        raise SpecError("\n".join(problems))


def _lines(error: SpecError) -> list[str]:
    """Tell each problem in a line, without the traceback that a run's log would have."""
    if _SEVERAL.match(error.problem):
        return [line.strip() for line in error.problem.splitlines()[1:]]
    hint = "" if "\n" in error.hint else error.hint
    return [str(SpecError(error.problem.replace("\n", " "), where=error.where, hint=hint))]


def main() -> None:
    """Answer every task of the environment."""
    nonce = os.environ.pop("ETL_NONCE", "")
    texts = []
    for number in count():
        if (text := os.environ.pop(f"ETL_TASK_{number}", None)) is None:
            break
        texts.append(text)
    for number, text in enumerate(texts):
        result = StageResult(outcome=Outcome.done)
        try:
            check(TransformTask.model_validate_json(text))
        except StageError as error:
            result = StageResult(outcome=Outcome(error.outcome), fault=Fault.of(error))
        print(marked(result, f"{nonce}-{number}"), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
