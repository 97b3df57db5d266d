"""Plans a load: which dataset goes into which table, as which columns, and what is wrong with that."""

import difflib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from etl_contract import LoadTask, SpecError, StageError, merge_order, refuse
from etl_contract.parquet import reading
from etl_load._casts import declared_problems
from etl_load._columns import columns_of
from etl_load._job import STAGING, Job
from etl_load._modes import MODES

_OURS = ("etl", STAGING, "quarantine", "information_schema")


def plan(task: LoadTask, files: ExitStack) -> list[Job]:
    """Find the dataset of each target, open its file, and see what its columns are.

    Raises:
        SpecError: a dataset is not there, two go into one table, a column can be in no table, or the mode cannot do it.
    """
    problems = list(_spec_problems(task))
    datasets = {dataset.name: dataset for dataset in task.inputs}
    jobs: list[Job] = []
    for name, target in task.spec.items():
        if name in datasets:
            parquet = files.enter_context(reading(datasets[name]))
            if name in task.idle and not parquet.schema_arrow.names:
                continue  # nothing new, and nothing declared of which a table could be made
            columns, unfit = columns_of(parquet.schema_arrow, f"load.{name}")
            job = Job(task, datasets[name], target, tuple(columns), parquet)
            problems += unfit or [*MODES[target.mode].problems(job), *declared_problems(job)]
            direct = MODES[target.mode].direct and not job.casts and job.references_to_keep is None
            jobs.append(replace(job, direct=direct))
    refuse(problems)
    order = merge_order(task.spec, task.expect)
    return sorted(jobs, key=lambda job: order.index(job.dataset.name))


def _spec_problems(task: LoadTask) -> Iterator[StageError]:
    there = [dataset.name for dataset in task.inputs]
    taken: dict[str, str] = {}
    for name, target in task.spec.items():
        where = f"load.{name}"
        if name not in there:
            close = difflib.get_close_matches(name, there, n=1)
            meant = f"Did you mean '{close[0]}'? " if close else ""
            hint = f"{meant}The transform gives: {', '.join(sorted(there)) or 'nothing'}."
            yield SpecError(f"there is no dataset '{name}'", where=where, hint=hint)
        schema = target.table.partition(".")[0]
        if schema in _OURS or schema.startswith("pg_"):
            hint = "Load into 'mart', or into a schema of your own."
            yield SpecError(f"the schema '{schema}' is the platform's own", where=f"{where}.table", hint=hint)
        if target.table in taken:
            hint = f"Put them into one dataset in the transform; load.{taken[target.table]} loads into it already."
            yield SpecError(f"two datasets go into {target.table}", where=f"{where}.table", hint=hint)
        taken.setdefault(target.table, name)
