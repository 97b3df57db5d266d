"""Writes what the task's sources are to remember, in the transaction that loads their rows."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import LoadTask, SpecError, Watermark, refuse
from etl_load._ledger import LOADS

WATERMARKS = sa.table(
    "watermarks", *map(sa.column, ("pipeline", "source", "field", "value", "run_id", "moved_at")), schema="etl"
)
FILES = sa.table("files", *map(sa.column, ("pipeline", "source", "uri", "sha256", "bytes", "run_id")), schema="etl")


def remember(connection: sa.Connection, task: LoadTask) -> None:
    """Move the watermarks, and note the files that were taken; a file that stands there keeps its first run.

    Raises:
        SpecError: another run has moved a cursor since extract read its rows.
    """
    run = {"pipeline": task.pipeline, "run_id": task.run_id}
    if marks := [run | mark.model_dump(include={"source", "field", "value"}) for mark in _moving(connection, task)]:
        moved = pg.insert(WATERMARKS).values(marks)
        anew = {"value": moved.excluded.value, "run_id": moved.excluded.run_id, "moved_at": sa.func.clock_timestamp()}
        connection.execute(moved.on_conflict_do_update(index_elements=["pipeline", "source", "field"], set_=anew))
    if task.files:
        taken = pg.insert(FILES).on_conflict_do_nothing()
        connection.execute(taken, [run | file.model_dump() for file in task.files])


def _moving(connection: sa.Connection, task: LoadTask) -> list[Watermark]:
    """Give the watermarks to write: none of a cursor that has moved on since this run was loaded the first time.

    Where another run has moved a cursor in between, the rows of this one would be loaded twice.
    """
    if not task.watermarks:
        return []
    books = sa.select(WATERMARKS).where(WATERMARKS.c.pipeline == task.pipeline).with_for_update()
    stored = {(row.source, row.field): row for row in connection.execute(books)}
    mine = (LOADS.c.pipeline == task.pipeline) & (LOADS.c.run_id == task.run_id)
    loaded = connection.execute(sa.select(sa.exists().where(mine))).scalar_one()
    moving, problems = [], []
    for mark in task.watermarks:
        row = stored.get((mark.source, mark.field))
        if not mark.cursor or (row.value if row else None) == mark.since:
            moving.append(mark)
        elif not loaded:
            now = f"'{row.value}' by the run {row.run_id}" if row else "the beginning"
            since = f"'{mark.since}'" if mark.since else "the beginning"
            problem = f"the rows are those after {since}, but the watermark has been moved to {now}"
            hint = "Clear extract of this run, so that it reads from there; nothing is lost."
            problems.append(SpecError(problem, where=f"extract.{mark.source}.cursor", hint=hint))
    refuse(problems)
    return moving
