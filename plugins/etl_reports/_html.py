"""Renders the pages, with the headers that keep them to themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

HERE = Path(__file__).parent
STATIC = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MINUTE, _HOUR, _DAY, _MONTH = 60, 3600, 86_400, 31 * 86_400


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """Render a page; `here` begins its own addresses, `airflow` those of Airflow's pages."""
    here = str(request.scope.get("root_path", "")).rstrip("/")
    query = {"q": "", "state": "", "sort": ""} | dict(request.query_params)
    common = {"here": here, "airflow": here.removesuffix("/reports"), "tab": query.get("tab", ""), "query": query}
    html = _environment.get_template(template).render(**common, **values)
    return HTMLResponse(html, status, HEADERS)


def wants_page(request: Request) -> bool:
    """Say whether a person asks, and not a program."""
    return "text/html" in request.headers.get("accept", "")


def ago(moment: datetime) -> str:
    """Say how long ago something was, as one says it."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    for unit, span, most in (("minute", _MINUTE, _HOUR), ("hour", _HOUR, _DAY), ("day", _DAY, _MONTH)):
        if seconds < most:
            count = int(seconds // span)
            return f"{count} {unit}{'s' * (count > 1)} ago"
    return f"on {moment:%Y-%m-%d}"


def _with(query: Mapping[str, str], **changes: Any) -> str:  # noqa: ANN401
    """Give a query string with some of its parts changed."""
    parts = {name: value for name, value in {**query, **changes}.items() if value not in ("", None)}
    return f"?{urlencode(parts)}" if parts else "?"


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "ago": ago,
    "count": lambda number: f"{number:,}",
    # The signs of a run's id stay, as Airflow writes them itself: it lights up no tab whose address it does not know.
    "part": lambda text: quote(text, safe=":+"),
    "with": _with,
}
