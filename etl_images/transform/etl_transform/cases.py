"""Runs an author's cases, given and expected rows, in the stage's own image: python -m etl_transform.cases.

$ETL_TASK_0 and $ETL_CASE_0, and so on, are a TransformTask and a Case; each is answered by a marked line with the nonce
"$ETL_NONCE-0" and so on.
"""

import os
from itertools import count

from etl_contract import Fault, Outcome, StageError, StageResult, TransformTask, marked
from etl_transform._case import Case, try_case


def main() -> None:
    """Answer every case of the environment."""
    nonce = os.environ.pop("ETL_NONCE", "")
    for number in count():
        if (text := os.environ.pop(f"ETL_TASK_{number}", None)) is None:
            return
        case = Case.model_validate_json(os.environ.pop(f"ETL_CASE_{number}"))
        result = StageResult(outcome=Outcome.done)
        try:
            try_case(case, TransformTask.model_validate_json(text))
        except StageError as error:
            result = StageResult(outcome=Outcome(error.outcome), fault=Fault.of(error))
        print(marked(result, f"{nonce}-{number}"), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
