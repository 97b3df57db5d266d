"""Tells a report in short, for lists of many."""

from typing import cast

from etl_contract import Headline, ReportSummary
from etl_visualize._figure import Measured
from etl_visualize._report import Report

MOST_FIGURES = 4


def in_short(report: Report) -> ReportSummary:
    """Give what a list says of the report."""
    task = report.task
    first = next((drawing for drawing in report.drawings if drawing.spec is not None), None)
    return ReportSummary(
        title=task.spec.title,
        pipeline=task.pipeline,
        run_id=task.run_id,
        interval=task.interval,
        made=report.made,
        rows=sum(load.rows_staged for load in task.loads) or sum(export.rows for export in task.exports),
        rows_quarantined=sum(load.rows_quarantined for load in task.loads),
        breaches=sum(check.breaches > 0 for check in task.checks),
        figures=tuple(_headline(measured) for measured in report.figures[:MOST_FIGURES]),
        thumbnail=cast("str", first.spec["description"]) if first and first.spec else "",
    )


def _headline(measured: Measured) -> Headline:
    return Headline.model_validate(
        {name: getattr(measured, name) for name in ("text", "change", "direction", "news")}
        | {"label": measured.figure.label, "unit": measured.figure.unit}
    )
