"""Runs the extract stage: each source of the task becomes a Dataset."""

import time

import structlog

from etl_contract import Dataset, ExtractTask, Outcome, SpecError, StageResult, run
from etl_contract.parquet import writing
from etl_extract._sql import Rows, SqlReader

PROGRESS_SECONDS = 10

log = structlog.get_logger()


def extract(task: ExtractTask) -> StageResult:
    """Read every source of the task; sources of one connection are read in one snapshot."""
    log.info(f"extracting {len(task.spec)} sources", interval=str(task.interval))
    problems: list[SpecError] = []
    datasets: list[Dataset] = []
    with SqlReader(task.interval) as reader:
        for name, source in task.spec.items():
            try:
                with reader.rows(name, source) as rows:
                    datasets.append(_store(f"{task.run_uri}/extract", name, rows))
            except SpecError as problem:  # a person mends the pipeline once, so tell it all
                problems.append(problem)
    if problems:
        raise _together(problems)
    rows_read = sum(dataset.rows for dataset in datasets)
    size = sum(dataset.bytes for dataset in datasets)
    return StageResult(
        outcome=Outcome.done, datasets=tuple(datasets), rows_in=rows_read, rows_out=rows_read, bytes_out=size
    )


def _store(folder_uri: str, name: str, rows: Rows) -> Dataset:
    started = told = time.monotonic()
    with writing(folder_uri, name, rows.schema) as writer:
        for batch in rows.batches:
            writer.write(batch)
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                log.info(f"extracting {name}", rows=writer.rows, seconds=round(told - started, 1))
        dataset = writer.finish()
    tell = log.info if dataset.rows else log.warning
    seconds = round(time.monotonic() - started, 2)
    tell(f"extracted {name}", rows=dataset.rows, bytes=dataset.bytes, seconds=seconds)
    return dataset


def _together(problems: list[SpecError]) -> SpecError:
    if len(problems) == 1:
        return problems[0]
    return SpecError(f"{len(problems)} sources cannot be read:\n" + "\n".join(f"  {problem}" for problem in problems))


if __name__ == "__main__":
    run(extract, ExtractTask)
