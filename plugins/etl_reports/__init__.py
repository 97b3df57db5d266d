"""Serves the reports of runs inside Airflow's web UI, to those who may see the run.

/reports/                          ──► _listing ──► every pipeline with its last report
/reports/dags/DAG                  ──►    │     ──► its last report, and /history: all of them
/reports/dags/DAG/flow             ──►  _flow   ──► what it reads, makes and writes, drawn
/reports/dags/DAG/runs/RUN         ──►    │     ──► that report in a frame, or why there is none
/reports/dags/DAG/runs/RUN/FILE    ──►    │     ──► the report itself, shut in a sandbox
                                          ├── _shelf: the volume `reports`
                                          └── _runs: Airflow's database
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
