"""Makes a report with everything that a report may have."""

import random
from pathlib import Path
from typing import Any

from etl_contract import Check, OnBreach, StageUse
from etl_visualize.__main__ import visualize
from tests.visualize.reporting import KnownWarehouse, chart, dataset, load, task

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
ALIVE = 4  # charts that have rows to draw
_AIRPORTS = ("EWR", "JFK", "LGA")
_CHANCE = random.Random(2013)  # noqa: S311 - the same points each time, not secrets
_HOURS = [
    {"hour": hour, "origin": airport, "delay": 4 + abs(14 - hour) * -1.1 + 18 + 3 * number}
    for hour in range(5, 24)
    for number, airport in enumerate(_AIRPORTS)
]
_AIRLINES = [
    {"airline": name, "category": category, "flights": 20 + 7 * len(name) + 11 * number}
    for name in ("United Air Lines Inc.", "JetBlue Airways", "Envoy Air", HOSTILE)
    for number, category in enumerate(("early", "on time", "late"))
]
_DAYS = [{"day": f"2026-06-{day:02}", "delay": 12 + 9 * ((day * 7) % 11) / 11} for day in range(2, 31)]
_WIND = [
    {"wind": _CHANCE.uniform(0, 30), "delay": _CHANCE.expovariate(1 / 25) - 12, "origin": _CHANCE.choice(_AIRPORTS)}
    for _ in range(3500)  # beyond 3,000 a canvas draws them
]
_ROUTES = [
    {
        "origin": airport,
        "destination": name,
        "flights": 31 - number,
        "mean_delay": 48.25 - 3.5 * number,
        "latest": 180 - 7 * number,
        "note": "Diverted for weather; crew and aircraft came by way of another airport" if number == 1 else None,
    }
    for airport in _AIRPORTS
    for number, name in enumerate(("Chicago Ohare Intl", "Hartsfield Jackson Atlanta Intl", "San Francisco Intl"))
]
_FIGURES = {"left": (993, 958), "punctual": (0.684, 0.712), "delay": (16.4, 11.9), "cancelled": (33, 33)}
_ANSWERS: dict[str, Any] = {
    "hours": _HOURS,
    "airlines": _AIRLINES,
    "days": _DAYS,
    "wind": _WIND,
    "none": [],
    "routes": _ROUTES,
    "reasons": [
        {"dataset": "flights", "rule": "in_range [-120, 3000]", "column": "dep_delay", "rows": 21},
        {"dataset": "flights", "rule": "arrives about as late as it left", "column": None, "rows": 13},
    ],
    "failed tries": [
        {"stage": "extract", "try": 1, "state": "failed", "error": "Unavailable", "seconds": 4.2, "peak_memory": 98e6},
        {"stage": "transform", "try": 1, "state": "killed", "error": "Killed", "seconds": 7.0, "peak_memory": None},
    ],
    **{name: [{"n": now}] for name, (now, _) in _FIGURES.items()},
    **{f"{name} before": [{"n": before}] for name, (_, before) in _FIGURES.items()},
}


def write_sample(folder: Path, run_id: str = "scheduled__2026-07-02T04:00:00+00:00") -> Path:
    """Write the report into a folder; give its page."""
    charts = [
        chart("line", title="Mean delay by hour", sql="hours", x="hour:O", y="delay", color="origin"),
        chart("bar", title="Flights by airline", sql="airlines", x="flights", y="airline", color="category:O"),
        chart({"type": "line", "point": True}, title="Delay of the last days", sql="days", x="day:T", y="delay"),
        chart("circle", title="Wind against delay", sql="wind", x="wind", y="delay", color="origin"),
        chart("bar", title="Cancelled flights", sql="none", x="hour"),
    ]
    figures = [
        {"label": "Departures", "sql": "left"},
        {"label": "On time", "sql": "punctual", "format": ".1%", "better": "higher"},
        {"label": "Mean delay", "sql": "delay", "format": ",.1f", "unit": "min", "better": "lower"},
        {"label": "Cancelled", "sql": "cancelled", "better": "lower"},
    ]
    checks = [
        Check(dataset="flights", rule=rule, on_breach=then, rows=1027, breaches=breaches)
        for rule, then, breaches in (
            ("carrier matches [A-Z0-9]{2}", OnBreach.fail, 0),
            ("dep_delay in_range [-120, 3000]", OnBreach.quarantine, 21),
            ("arrives about as late as it left", OnBreach.warn, 13),
        )
    ]
    given = task(
        *charts,
        folder=folder,
        run_id=run_id,
        figures=figures,
        tables=[{"title": "Routes with the longest delays", "sql": "routes", "formats": {"mean_delay": ",.1f"}}],
        checks=checks,
        inputs=[
            dataset("flights", "extract", 1042),
            dataset("weather", "extract", 72),
            dataset("flights", "transform", 993),
        ],
        loads=[load("mart.flights", 993, 940, 53, 0).model_copy(update={"rows_quarantined": 34})],
        stages=[
            StageUse(
                stage=name,
                rows_in=1042,
                rows_out=rows,
                rows_quarantined=aside,
                bytes_out=100 * rows,
                seconds=1.9,
                cpu_seconds=1.4,
                peak_memory=peak,
                memory_limit=512_000_000,
            )
            for name, rows, aside, peak in (
                ("extract", 1114, 0, 121_000_000),
                ("transform", 993, 34, 468_000_000),
                ("load", 993, 0, 88_000_000),
            )
        ],
    )
    visualize(given, KnownWarehouse(_ANSWERS).connect)
    return folder / "index.html"
