"""Writes what the task's sources are to remember, in the transaction that loads their rows."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import LoadTask

WATERMARKS = sa.table(
    "watermarks", *map(sa.column, ("pipeline", "source", "field", "value", "run_id", "moved_at")), schema="etl"
)
FILES = sa.table("files", *map(sa.column, ("pipeline", "source", "uri", "sha256", "bytes", "run_id")), schema="etl")


def remember(connection: sa.Connection, task: LoadTask) -> None:
    """Move the watermarks, and note the files that were taken; a file that stands there keeps its first run."""
    run = {"pipeline": task.pipeline, "run_id": task.run_id}
    if task.watermarks:
        moved = pg.insert(WATERMARKS).values([run | watermark.model_dump() for watermark in task.watermarks])
        anew = {"value": moved.excluded.value, "run_id": moved.excluded.run_id, "moved_at": sa.func.clock_timestamp()}
        connection.execute(moved.on_conflict_do_update(index_elements=["pipeline", "source", "field"], set_=anew))
    if task.files:
        taken = pg.insert(FILES).on_conflict_do_nothing()
        connection.execute(taken, [run | file.model_dump() for file in task.files])
