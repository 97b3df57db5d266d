"""Keeps the rows that a check set aside, whole and with the reason, in the table `quarantine.rows`."""

import pyarrow.parquet as pq
import sqlalchemy as sa
import structlog
from psycopg import sql

from etl_contract import Dataset, LoadTask
from etl_contract.parquet import reading
from etl_load._progress import telling
from etl_load._warehouse import driver

_BATCH_ROWS = 1_000  # a row is as long as its JSON
_READ = ("row_number", "rule", "column_name", "value", "also", "row")
_ABOUT = ("pipeline", "run_id", "dataset", "interval_start", "interval_end")

ROWS = sa.table("rows", *(sa.column(name) for name in (*_ABOUT, *_READ)), schema="quarantine")

log = structlog.get_logger()


def keep(connection: sa.Connection, task: LoadTask) -> None:
    """Put this run's rows in place of those of an earlier try, or of another run that was about the same interval.

    Where sources remember what they gave, a run's rows are its own: another of the same interval found others.
    """
    same = ROWS.c.run_id == task.run_id
    if not (task.watermarks or task.files):
        about = (ROWS.c.interval_start == task.interval.start) & (ROWS.c.interval_end == task.interval.end)
        same |= about
    released = connection.execute(sa.delete(ROWS).where(ROWS.c.pipeline == task.pipeline, same)).rowcount
    if released:
        log.info("replacing what was quarantined", rows=released)
    for dataset in task.quarantined:
        with reading(dataset) as parquet, telling(f"keeping rows of {dataset.name} in quarantine"):
            _copy(connection, task, dataset, parquet)
        log.warning(f"quarantined rows of {dataset.name}: see quarantine.rows", rows=dataset.rows)


def _copy(connection: sa.Connection, task: LoadTask, dataset: Dataset, parquet: pq.ParquetFile) -> None:
    about = (task.pipeline, task.run_id, dataset.name, task.interval.start, task.interval.end)
    columns = sql.SQL(", ").join(map(sql.Identifier, (*_ABOUT, *_READ)))
    statement = sql.SQL("copy quarantine.rows ({}) from stdin").format(columns)
    with driver(connection).cursor().copy(statement) as copy:
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(_BATCH_ROWS, row_groups=[group], columns=_READ, use_threads=False):
                for row in batch.to_pylist():
                    copy.write_row((*about, *(row[name] for name in _READ)))
