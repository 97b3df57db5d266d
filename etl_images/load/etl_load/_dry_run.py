"""Says in the log what a load would do, and does nothing of it."""

from typing import NoReturn

import structlog

from etl_contract import LoadTask, NothingToDo
from etl_load.preview import preview

ROWS = 5

log = structlog.get_logger()


def show(task: LoadTask) -> NoReturn:
    """Tell of each dataset where it would go, its columns and its first rows.

    Raises:
        SpecError: it could not be loaded.
        NothingToDo: all is told; the run ends here.
    """
    for described in preview(task, ROWS):
        name, count = described["dataset"], described["rows"]
        ways = [f"into {described['table']} by {described['mode']}"] if described["table"] else []
        ways += [f"to {target.to}" for exported, target in task.export if exported == name]
        columns = {column["name"]: column["type"] for column in described["columns"]}
        log.info(f"{name}: {count:,} rows would go {' and '.join(ways) or 'nowhere'}", columns=columns)
        for row in described["first_rows"]:
            log.info(f"{name}: one of its rows", row=dict(zip(columns, row, strict=True)))
    raise NothingToDo("this was a dry run, and nothing was loaded", hint="Trigger it again without 'dry_run' to load.")
