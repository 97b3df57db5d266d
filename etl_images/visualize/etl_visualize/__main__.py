"""Runs the visualize stage: the charts of the task become a report that one file shows."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from etl_contract import Chart, Interval, Outcome, SpecError, StageResult, VisualizeTask, run
from etl_visualize._drawing import Drawing, draw
from etl_visualize._folder import check_scheme, publish
from etl_visualize._page import report_files
from etl_visualize._warehouse import MOST_ROWS, Warehouse, open_warehouse

Connect = Callable[[Interval], AbstractContextManager[Warehouse]]

log = structlog.get_logger()


def visualize(task: VisualizeTask, connect: Connect = open_warehouse) -> StageResult:
    """Draw every chart from one snapshot of the warehouse, and publish the report as a whole."""
    check_scheme(task.report_uri)
    charts = task.spec.charts
    log.info(f"drawing {len(charts)} charts", interval=str(task.interval))
    problems: list[SpecError] = []
    drawings: list[Drawing] = []
    with connect(task.interval) as warehouse:
        for number, chart in enumerate(charts, start=1):
            try:
                drawings.append(_drawing(task, number, chart, warehouse))
            except SpecError as problem:  # a person mends the pipeline once, so tell it all
                problems.append(problem)
    if problems:
        raise _together(problems)
    files = report_files(task, drawings, datetime.now(ZoneInfo(task.interval.timezone)))
    publish(task.report_uri, files)
    size = sum(map(len, files.values()))
    log.info("published the report", uri=task.report_uri, files=len(files), bytes=size)
    rows = sum(len(drawing.table.rows) for drawing in drawings)
    return StageResult(outcome=Outcome.done, report_uri=task.report_uri, rows_in=rows, bytes_out=size)


def _drawing(task: VisualizeTask, number: int, chart: Chart, warehouse: Warehouse) -> Drawing:
    started = time.monotonic()
    where = f"chart {number} '{chart.title}'"
    table = warehouse.rows(chart.sql, where)
    drawing = draw(number, chart, table, f"{task.pipeline} · {task.interval}")
    seconds = round(time.monotonic() - started, 2)
    if table.more:
        log.warning(f"{where} has more than {MOST_ROWS} rows and is not drawn", seconds=seconds)
    elif not table.rows:
        log.warning(f"{where} has no rows in this interval", seconds=seconds)
    else:
        log.info(f"drew {where}", rows=len(table.rows), seconds=seconds)
    return drawing


def _together(problems: list[SpecError]) -> SpecError:
    if len(problems) == 1:
        return problems[0]
    return SpecError(f"{len(problems)} charts cannot be drawn:\n" + "\n".join(f"  {problem}" for problem in problems))


if __name__ == "__main__":
    run(visualize, VisualizeTask)
