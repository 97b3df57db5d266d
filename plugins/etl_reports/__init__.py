"""Serves the reports of runs inside Airflow's web UI, to those who may see the run.

/reports/dags/DAG/runs/RUN/index.html ──► _pages: may the user see the run? ──► the volume `reports`
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["app"]

Message = MutableMapping[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer a request (ASGI).

    Airflow loads its plugins in every process, also in each task's; the pages, which cost two seconds to import there,
    are imported when the api-server gets the first request for one.
    """
    from etl_reports._pages import pages  # noqa: PLC0415

    await pages(scope, receive, send)
