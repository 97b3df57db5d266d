"""Makes the files of a report: one page that needs nothing else, a picture of each chart, and all of it as JSON."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from etl_visualize._drawing import Drawing
from etl_visualize._figure import Measured
from etl_visualize._listing import Listing
from etl_visualize._report import Report
from etl_visualize._summary import in_short
from etl_visualize._theme import THEMES, vega_config
from etl_visualize._thumbnail import thumbnails
from etl_visualize._warehouse import MOST_ROWS
from etl_visualize._way import way

TEMPLATES = Path(__file__).parent / "templates"
VEGA = Path(__file__).parent / "vega.js"
MOST_ROWS_IN_JSON = 5_000
MOST_SVG_IN_PAGE = 500_000  # characters

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def report_files(report: Report) -> dict[str, bytes]:
    """Give the report's files by name."""
    files = {"index.html": page(report).encode()}
    for drawing in report.drawings:
        if drawing.spec is not None:
            files[f"{drawing.slug}.png"] = drawing.png
            files[f"{drawing.slug}.svg"] = drawing.svg.encode()
    files |= next((thumbnails(drawing) for drawing in report.drawings if drawing.spec is not None), {})
    files["report.json"] = json.dumps(summary(report), indent=1, ensure_ascii=False, allow_nan=False).encode()
    files["summary.json"] = in_short(report).model_dump_json().encode()
    return files


def summary(report: Report) -> dict[str, Any]:
    """Give what the report tells as JSON has it; a chart's rows are capped, and `truncated` says so."""
    task = report.task
    return {
        "title": task.spec.title,
        "pipeline": task.pipeline,
        "run_id": task.run_id,
        "interval": task.interval.model_dump(mode="json") | {"text": str(task.interval)},
        "made": report.made.isoformat(timespec="seconds"),
        "inputs": [dataset.model_dump() for dataset in task.inputs],
        "loads": [load.model_dump() for load in task.loads],
        "checks": [check.model_dump(mode="json", exclude={"examples"}) for check in task.checks],
        "quarantined": report.reasons.rows,
        "stages": [use.model_dump() for use in task.stages],
        "failed_tries": report.failed_tries.rows,
        "exports": [export.model_dump(mode="json") for export in task.exports],
        "figures": [_figure_summary(measured) for measured in report.figures],
        "charts": [_chart_summary(drawing) for drawing in report.drawings],
        "tables": [_table_summary(listing) for listing in report.listings],
    }


def page(report: Report) -> str:
    """Give the report as one page, whose policy lets no script run but its own two."""
    scripts = [vega_bundle(), (TEMPLATES / "report.js").read_text()]
    drawn = {drawing.slug: drawing.spec for drawing in report.drawings if drawing.spec is not None}
    data = {
        "themes": {name: vega_config(theme, _FONT) | {"background": None} for name, theme in THEMES.items()},
        "charts": drawn,
    }
    template = _environment().get_template("report.html")
    return template.render(
        **report._asdict(),
        steps=way(report.task),
        most_rows=MOST_ROWS,
        policy=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        style=Markup((TEMPLATES / "report.css").read_text()),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
        data=_inert(data),
    )


@cache
def vega_bundle() -> str:
    """Give Vega, Vega-Lite and vega-embed as one script; the image holds it as a file, since bundling takes seconds."""
    return VEGA.read_text() if VEGA.exists() else vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _figure_summary(measured: Measured) -> dict[str, Any]:
    return {
        "label": measured.figure.label,
        "value": measured.value,
        "previous": measured.previous,
        "difference": measured.difference,
        "unit": measured.figure.unit,
        "text": measured.text,
    }


def _table_summary(listing: Listing) -> dict[str, Any]:
    return {
        "title": listing.given.title,
        "columns": list(listing.table.columns),
        "truncated": listing.table.more,
        "data": listing.table.rows,
    }


def _chart_summary(drawing: Drawing) -> dict[str, Any]:
    drawn = drawing.spec is not None
    return {
        "title": drawing.chart.title,
        "rows": None if drawing.table.more else len(drawing.table.rows),
        "columns": list(drawing.table.columns),
        "png": f"{drawing.slug}.png" if drawn else None,
        "svg": f"{drawing.slug}.svg" if drawn else None,
        "truncated": drawing.table.more or len(drawing.table.rows) > MOST_ROWS_IN_JSON,
        "data": drawing.table.rows[:MOST_ROWS_IN_JSON],
    }


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "size": _size, "still": _still}
    return environment


def _inert(value: Any) -> Markup:  # noqa: ANN401 - whatever JSON has
    """Write JSON for a <script> element, which ends at the first `</script` wherever that stands."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _still(drawing: Drawing) -> str:
    """Give the picture that stands in the page: vectors, unless they are many."""
    as_svg = len(drawing.svg) <= MOST_SVG_IN_PAGE
    content, kind = (drawing.svg.encode(), "svg+xml") if as_svg else (drawing.png, "png")
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _count(number: int) -> str:
    return f"{number:,}"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - SI
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
