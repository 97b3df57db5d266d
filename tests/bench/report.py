"""Draws a report of four charts over a day of the flights, as the pipelines' own do."""

from datetime import UTC, datetime

from etl_contract import Interval, VisualizeTask
from tests._engine import image
from tests.bench.arena import Arena, Container
from tests.bench.flights import make, task
from tests.bench.race import LIMIT, Goal, Race, stage

DAY = Interval(start=datetime(2013, 7, 10, tzinfo=UTC), end=datetime(2013, 7, 11, tzinfo=UTC))
_A_DAY = "from mart.flights where flight_date between :first_day and :last_day"
CHARTS = (
    {
        "title": "Delay by hour",
        "sql": f"select hour, origin, avg(dep_delay)::float8 as delay {_A_DAY} group by 1, 2",
        "mark": "line",
        "encoding": {"x": "hour:O", "y": "delay:Q", "color": "origin:N"},
    },
    {
        "title": "Late flights by airline",
        "sql": f"select carrier, count(*) as late {_A_DAY} and dep_delay > 15 group by 1",
        "mark": "bar",
        "encoding": {"x": "late:Q", "y": "carrier:N"},
    },
    {
        "title": "Delay over the last 30 days",
        "sql": "select flight_date::text as day, origin, avg(dep_delay)::float8 as delay from mart.flights "
        "where flight_date > :last_day - 30 and flight_date <= :last_day group by 1, 2",
        "mark": "line",
        "encoding": {"x": "day:T", "y": "delay:Q", "color": "origin:N"},
    },
    {
        "title": "Distance against delay",
        "sql": f"select distance, dep_delay, origin {_A_DAY}",
        "mark": "circle",
        "encoding": {"x": "distance:Q", "y": "dep_delay:Q", "color": "origin:N"},
    },
)


def report(arena: Arena) -> Race:
    """Draw four charts: about 1,000 points, and three aggregates."""
    arena.warehouse.sql("drop table if exists mart.flights")
    make(arena, "mart.flights")
    arena.warehouse.sql("insert into mart.flights select * from source.flights")
    arena.warehouse.sql("create index on mart.flights (flight_date)")
    arena.warehouse.sql("grant select on mart.flights to report")
    arena.warehouse.sql("vacuum analyze mart.flights")
    spec = {"title": "New York departures", "charts": CHARTS}
    work = task(arena, VisualizeTask, spec=spec, interval=DAY, report_uri="file:///runs/report")
    return Race(
        "report of four charts",
        Goal(seconds=3, mebibytes=512),
        (
            Container(f"{LIMIT}an interpreter that ends at once", ("python3", "-c", "pass"), image("visualize")),
            stage(work, secrets="report"),
        ),
    )
