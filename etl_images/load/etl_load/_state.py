"""Writes what the task's sources are to remember, in the transaction that loads their rows."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import LoadTask, NothingToDo, SpecError, TakenFile, Watermark, refuse
from etl_load._loads import LOADS

WATERMARKS = sa.table(
    "watermarks", *map(sa.column, ("pipeline", "source", "field", "value", "run_id", "moved_at")), schema="etl"
)
FILES = sa.table("files", *map(sa.column, ("pipeline", "source", "uri", "sha256", "bytes", "run_id")), schema="etl")


def remember(connection: sa.Connection, task: LoadTask) -> None:
    """Move the watermarks, and note the files that were taken; a file that stands there keeps its first run.

    Raises:
        SpecError: another run has moved a cursor since extract read its rows, or has taken some of its files.
        NothingToDo: another run has taken all of its files.
    """
    run = {"pipeline": task.pipeline, "run_id": task.run_id}
    _refuse_taken(connection, task)
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
    loaded = _is_loaded(connection, task)
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


def _refuse_taken(connection: sa.Connection, task: LoadTask) -> None:
    """Refuse files that another run has taken since extract read them, as runs do that are under way at once."""
    if not task.files or task.full_refresh or _is_loaded(connection, task):
        return
    others = sa.select(FILES).where(FILES.c.pipeline == task.pipeline, FILES.c.run_id != task.run_id)
    taken = {(row.source, row.uri, row.sha256): row.run_id for row in connection.execute(others)}
    twice = [file for file in task.files if _key(file) in taken]
    if not twice:
        return
    run_id = taken[_key(twice[0])]
    if len(twice) == len(task.files):
        problem = f"the run {run_id} has loaded the same {len(twice)} files meanwhile"
        raise NothingToDo(problem, where=f"extract.{twice[0].source}")
    problem = (
        f"the run {run_id} has loaded {len(twice)} of the {len(task.files)} files meanwhile, such as {twice[0].uri}"
    )
    hint = "Clear extract of this run, so that it takes the others; nothing is lost."
    raise SpecError(problem, where=f"extract.{twice[0].source}", hint=hint)


def _key(file: TakenFile) -> tuple[str, str, str]:
    return file.source, file.uri, file.sha256


def _is_loaded(connection: sa.Connection, task: LoadTask) -> bool:
    """Tell whether the run has been loaded before."""
    mine = (LOADS.c.pipeline == task.pipeline) & (LOADS.c.run_id == task.run_id)
    return connection.execute(sa.select(sa.exists().where(mine))).scalar_one()
