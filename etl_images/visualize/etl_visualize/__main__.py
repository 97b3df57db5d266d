"""Runs the visualize stage: figures, charts and tables of the task become a report that one file shows."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from etl_contract import Chart, Figure, Outcome, ReportTable, SpecError, StageResult, VisualizeTask, run
from etl_visualize._drawing import Drawing, draw
from etl_visualize._figure import Measured, measure
from etl_visualize._folder import check_scheme, publish
from etl_visualize._listing import Listing, list_rows
from etl_visualize._page import report_files
from etl_visualize._report import Report
from etl_visualize._table import Table
from etl_visualize._warehouse import MOST_ROWS, Warehouse, open_warehouse

Connect = Callable[[VisualizeTask], AbstractContextManager[Warehouse]]

log = structlog.get_logger()


def visualize(task: VisualizeTask, connect: Connect = open_warehouse) -> StageResult:
    """Make every part from one snapshot of the warehouse, and publish the report as a whole."""
    check_scheme(task.report_uri)
    spec = task.spec
    parts = {"figures": len(spec.figures), "charts": len(spec.charts), "tables": len(spec.tables)}
    log.info("making the report", interval=str(task.interval), **parts)
    problems: list[SpecError] = []
    with connect(task) as warehouse:
        report = Report(
            task=task,
            made=datetime.now(ZoneInfo(task.interval.timezone)),
            figures=_each(spec.figures, lambda number, figure: _measured(number, figure, warehouse), problems),
            drawings=_each(spec.charts, lambda number, chart: _drawing(task, number, chart, warehouse), problems),
            listings=_each(spec.tables, lambda number, table: _listing(number, table, warehouse), problems),
            reasons=_reasons(task, warehouse),
            failed_tries=_failed_tries(warehouse),
        )
    if problems:
        raise _together(problems)
    files = report_files(report)
    publish(task.report_uri, files)
    size = sum(map(len, files.values()))
    log.info("published the report", uri=task.report_uri, files=len(files), bytes=size)
    rows = sum(len(drawing.table.rows) for drawing in report.drawings)
    rows += sum(len(listing.table.rows) for listing in report.listings)
    return StageResult(outcome=Outcome.done, report_uri=task.report_uri, rows_in=rows, bytes_out=size)


def _each[Part, Made](
    parts: Iterable[Part], make: Callable[[int, Part], Made], problems: list[SpecError]
) -> list[Made]:
    """Make each part; what is wrong with one is told with the others, since a person mends the pipeline once."""
    made = []
    for number, part in enumerate(parts, start=1):
        try:
            made.append(make(number, part))
        except SpecError as problem:
            problems.append(problem)
    return made


def _measured(number: int, figure: Figure, warehouse: Warehouse) -> Measured:
    measured = measure(number, figure, warehouse)
    if measured.value is None:
        log.warning(f"figure {number} '{figure.label}' has no value in this interval")
    return measured


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


def _listing(number: int, table: ReportTable, warehouse: Warehouse) -> Listing:
    listing = list_rows(number, table, warehouse)
    if not listing.table.rows:
        log.warning(f"table {number} '{table.title}' has no rows in this interval")
    return listing


def _reasons(task: VisualizeTask, warehouse: Warehouse) -> Table:
    """Ask only where something was set aside."""
    return warehouse.reasons() if any(load.rows_quarantined for load in task.loads) else Table({}, [])


def _failed_tries(warehouse: Warehouse) -> Table:
    """Ask for them; the book that they stand in is not worth a run (docs/decisions/airflow-keeps-the-book.md)."""
    try:
        return warehouse.failed_tries()
    except SpecError as problem:
        log.warning(f"which tries failed is not known: {problem}")
        return Table({}, [])


def _together(problems: list[SpecError]) -> SpecError:
    if len(problems) == 1:
        return problems[0]
    lines = "\n".join(f"  {problem}" for problem in problems)
    return SpecError(f"{len(problems)} parts of the report cannot be made:\n{lines}")


if __name__ == "__main__":
    run(visualize, VisualizeTask)
