"""Runs the extract stage: each source of the task becomes a Dataset."""

import time
from pathlib import Path

import structlog

from etl_contract import Dataset, ExtractTask, NothingToDo, Outcome, Source, SpecError, SqlSource, StageResult, run
from etl_contract.parquet import columns_of, writing
from etl_extract._connection import CONNECTIONS
from etl_extract._readers import Readers
from etl_extract._rows import Rows

PROGRESS_SECONDS = 10

log = structlog.get_logger()


def extract(task: ExtractTask, connections: Path = CONNECTIONS) -> StageResult:
    """Read every source of the task; sources of one connection are read in one snapshot."""
    log.info(f"extracting {len(task.spec)} sources", interval=str(task.interval))
    problems: list[SpecError] = []
    idle: dict[str, NothingToDo] = {}
    done: list[tuple[Dataset, Rows]] = []
    with Readers(task, connections) as readers:
        for name, source in task.spec.items():
            try:
                with readers.rows(name, source) as rows:
                    done.append((_store(f"{task.run_uri}/extract", name, rows), rows))
            except SpecError as problem:  # a person mends the pipeline once, so tell it all
                problems.append(problem)
            except NothingToDo as nothing:
                idle[name] = nothing
        if problems:
            raise _together(problems)
        if idle and not any(_is_news(dataset, task.spec[dataset.name]) for dataset, _ in done):
            raise next(iter(idle.values()))
        for name in idle:  # another source has something new, and what is made of it may need this one
            with readers.rows(name, task.spec[name], anew=True) as rows:
                done.append((_store(f"{task.run_uri}/extract", name, rows), rows))
    datasets = [dataset for dataset, _ in done]
    rows_read = sum(dataset.rows for dataset in datasets)
    size = sum(dataset.bytes for dataset in datasets)
    files = tuple(file for _, rows in done for file in rows.files)
    return StageResult(
        outcome=Outcome.done,
        datasets=tuple(datasets),
        watermarks=tuple(mark for _, rows in done for mark in rows.watermarks()),
        files=files,
        columns=columns_of(datasets),
        rows_in=rows_read,
        rows_out=rows_read,
        # What is not from the inbox comes over the network, where it is counted.
        bytes_in=sum(file.bytes for file in files if file.uri.startswith("inbox/")),
        bytes_out=size,
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


def _is_news(dataset: Dataset, source: Source) -> bool:
    """Tell whether a source gave what is worth a run: of a database, its interval or new rows, not a table as ever."""
    if not isinstance(source, SqlSource):
        return True
    return source.reads_interval or (source.cursor is not None and dataset.rows > 0)


def _together(problems: list[SpecError]) -> SpecError:
    if len(problems) == 1:
        return problems[0]
    return SpecError(f"{len(problems)} sources cannot be read:\n" + "\n".join(f"  {problem}" for problem in problems))


if __name__ == "__main__":
    run(extract, ExtractTask)
