"""Adds a line to the book etl.stage_runs for each try of a stage: see docs/decisions/airflow-keeps-the-book.md."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from etl_contract import Outcome, StageTask
from etl_platform._ending import Ending, EndState
from etl_platform._pipeline import StageLimits

WAIT_SECONDS = 2  # for a server that does not answer; the role's own statement_timeout is as long


class StageRun(NamedTuple):
    """A line of the book, a field a column; config/postgres/warehouse.sql says what each means."""

    pipeline: str
    run_id: str
    stage: str
    map_index: int
    try_number: int
    state: str
    error: str | None
    exit_code: int | None
    interval_start: datetime
    interval_end: datetime
    started_at: datetime
    ended_at: datetime
    seconds: float
    cpu_seconds: float | None
    cpus: float
    peak_memory: int | None
    memory_limit: int
    minutes: int
    rows_in: int | None
    rows_out: int | None
    rows_quarantined: int | None
    bytes_in: int | None
    bytes_out: int | None
    image: str


class Began(NamedTuple):
    """What is known of a try before it ends."""

    stage: str
    task: StageTask
    limits: StageLimits
    image: str
    map_index: int
    at: datetime


def stage_run(began: Began, ending: Ending) -> StageRun:
    """Put together what is known of a try: from the stage itself, and where it said nothing, from the Engine."""
    task, limits, result, container = began.task, began.limits, ending.result, ending.container
    started = (container and container.started_at) or began.at
    ended = (container and container.ended_at) or datetime.now(UTC)
    killed_for_it = limits.memory_bytes if ending.state is EndState.out_of_memory else None
    done = result if result and result.outcome is Outcome.done else None
    return StageRun(
        pipeline=task.pipeline,
        run_id=task.run_id,
        stage=began.stage,
        map_index=began.map_index,
        try_number=task.try_number,
        state=ending.state.value,
        error=ending.fault.kind if ending.fault else None,
        exit_code=container.exit_code if container and container.ended_at else None,
        interval_start=task.interval.start,
        interval_end=task.interval.end,
        started_at=started,
        ended_at=ended,
        seconds=round((ended - started).total_seconds(), 3),
        cpu_seconds=result.cpu_seconds if result else None,
        cpus=limits.cpus,
        peak_memory=result.peak_memory if result else killed_for_it,
        memory_limit=limits.memory_bytes,
        minutes=limits.minutes,
        rows_in=done.rows_in if done else None,
        rows_out=done.rows_out if done else None,
        rows_quarantined=sum(dataset.rows for dataset in done.quarantined) if done else None,
        bytes_in=done.bytes_in if done else None,
        bytes_out=done.bytes_out if done else None,
        image=began.image,
    )


def add(run: StageRun, address: Path) -> None:
    """Write the line; one that is there already stays as it is.

    Args:
        run: the line.
        address: the file with the URI of the role `recorder`.

    Raises:
        OSError: the file is not there.
        psycopg2.Error: the server takes no line.
    """
    import psycopg2  # noqa: PLC0415 - in a task's process it is there already; who builds DAGs needs none

    names = ", ".join(run._fields)
    values = ", ".join(f"%({name})s" for name in run._fields)
    # Without naming the key: to look at one takes the right to read, which `recorder` has not.
    insert = f"insert into etl.stage_runs ({names}) values ({values}) on conflict do nothing"  # noqa: S608 - our own names
    uri = address.read_text().strip()
    connection = psycopg2.connect(uri, connect_timeout=WAIT_SECONDS, application_name="etl stage_runs")
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(insert, run._asdict())
