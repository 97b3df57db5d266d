"""The pipeline `earthquakes`, against a server that speaks like the real one: extract, transform, load."""

import csv
import io
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from etl_contract import (
    ExtractTask,
    HttpSource,
    Interval,
    LoadTask,
    NothingToDo,
    StageResult,
    TransformTask,
    VisualizeTask,
)
from etl_extract.__main__ import extract
from etl_load._load import load_into
from etl_platform import Pipeline, read_pipeline
from etl_transform.__main__ import transform
from etl_visualize.__main__ import visualize
from etl_visualize._warehouse import open_warehouse
from tests.extract.server import Handler, Request, WebServer

FILE = Path(__file__).parents[2] / "config" / "pipelines" / "earthquakes.yaml"
HEADER = (
    "time,latitude,longitude,depth,mag,magType,nst,gap,dmin,rms,net,id,updated,place,type,"
    "horizontalError,depthError,magError,magNst,status,locationSource,magSource"
)
NAMES = HEADER.split(",")


def _event(name: str, at: datetime, **given: str) -> dict[str, str]:
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.040Z")
    return dict.fromkeys(NAMES, "") | {
        "time": moment, "latitude": "38.8351", "longitude": "-122.8137", "depth": "2.06", "mag": "1.1", "magType": "md",
        "nst": "23", "gap": "61", "dmin": "0.008713", "rms": "0.03", "net": "nc", "id": name, "updated": moment,
        "place": '7 km NW of The Geysers, "CA"', "type": "earthquake", "status": "automatic",
    } | given  # fmt: skip


EVENTS = [
    _event("nc1", datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)),
    _event("nc2", datetime(2026, 11, 1, tzinfo=UTC)),
    _event("us3", datetime(2026, 11, 1, 12, tzinfo=UTC), mag="7.25", magType="mww", place="Near the coast of Peru"),
    _event("ak4", datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC), mag="", nst="", depth="-1.9"),
    _event("nc5", datetime(2026, 11, 2, 1, tzinfo=UTC)),
]


def _usgs(handler: Handler, request: Request) -> None:
    """Answer as https://earthquake.usgs.gov/fdsnws/event/1/query does."""
    asked = request.params
    if asked.get("format") != "csv":
        handler.send(b"Error 400: Bad Request", 400)
        return
    start, end = (datetime.fromisoformat(asked[name]).replace(tzinfo=UTC) for name in ("starttime", "endtime"))
    found = [event for event in EVENTS if start <= datetime.fromisoformat(event["time"]) <= end]
    if not found:
        handler.send(b"", 204)
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    handler.send(text.getvalue().encode(), headers={"Content-Type": "text/csv;charset=utf-8"})


@pytest.fixture
def pipeline(web: WebServer) -> Pipeline:
    """Give the pipeline that ships, with the address of the tests' own server."""
    pipeline = read_pipeline(FILE)
    assert isinstance(pipeline, Pipeline), pipeline
    events = pipeline.extract["events"]
    assert isinstance(events, HttpSource)
    assert events.http == "https://earthquake.usgs.gov/fdsnws/event/1/query"
    here = web.route("/fdsnws/event/1/query", _usgs)
    return pipeline.model_copy(update={"extract": {"events": events.model_copy(update={"http": here})}})


def _run(pipeline: Pipeline, day: datetime, folder: Path, warehouse: str) -> StageResult:
    """Run the stages as the operator chains them."""
    about = {
        "pipeline": pipeline.name,
        "run_id": f"manual__{day:%Y-%m-%d}",
        "interval": Interval(start=day, end=day + timedelta(days=1), timezone=pipeline.timezone),
        "run_uri": f"file://{folder}/{day:%Y-%m-%d}",
    }
    assert pipeline.transform is not None
    extracted = extract(ExtractTask(spec=pipeline.extract, **about))
    transformed = transform(
        TransformTask(spec=pipeline.transform, files=pipeline.files, inputs=extracted.datasets, **about)
    )
    return load_into(warehouse, LoadTask(spec=pipeline.load, inputs=transformed.datasets, **about))


def test_a_days_earthquakes_arrive_with_their_types(pipeline: Pipeline, tmp_path: Path, warehouse: str) -> None:
    """Each event of the day is a row, with its instant, its numbers, and a word for its strength."""
    _run(pipeline, datetime(2026, 11, 1, tzinfo=UTC), tmp_path, warehouse)

    with psycopg.connect(warehouse) as connection:
        found = connection.execute(
            "select id, occurred_at, depth_km, magnitude, stations, strength, place from mart.earthquakes order by id"
        ).fetchall()
    assert found == [
        ("ak4", datetime(2026, 11, 1, 23, 59, 59, 40_000, UTC), -1.9, None, None, None, EVENTS[3]["place"]),
        ("nc2", datetime(2026, 11, 1, 0, 0, 0, 40_000, UTC), 2.06, 1.1, 23, "micro", EVENTS[1]["place"]),
        ("us3", datetime(2026, 11, 1, 12, 0, 0, 40_000, UTC), 2.06, 7.25, 23, "major", "Near the coast of Peru"),
    ]


def test_a_day_that_is_loaded_again_changes_nothing(pipeline: Pipeline, tmp_path: Path, warehouse: str) -> None:
    """An event is one row, by its id, however often it is loaded."""
    for _ in range(2):
        result = _run(pipeline, datetime(2026, 11, 1, tzinfo=UTC), tmp_path, warehouse)

    assert [(load.rows_staged, load.rows_inserted, load.rows_updated) for load in result.loads] == [(3, 0, 0)]


def test_a_day_without_earthquakes_is_skipped(pipeline: Pipeline, tmp_path: Path, warehouse: str) -> None:
    """The service answers 204, and the run ends well without a load."""
    with pytest.raises(NothingToDo, match="there is nothing \\(204 No Content\\)"):
        _run(pipeline, datetime(2026, 11, 5, tzinfo=UTC), tmp_path, warehouse)


def test_the_report_is_a_map_and_the_magnitudes(pipeline: Pipeline, tmp_path: Path, warehouse: str) -> None:
    """Every chart is drawn from a day's rows."""
    day = datetime(2026, 11, 1, tzinfo=UTC)
    _run(pipeline, day, tmp_path, warehouse)
    secret = tmp_path / "uri"
    secret.write_text(warehouse)
    assert pipeline.visualize is not None

    drawn = visualize(
        VisualizeTask(
            spec=pipeline.visualize,
            pipeline=pipeline.name,
            run_id="test",
            interval=Interval(start=day, end=day + timedelta(days=1), timezone=pipeline.timezone),
            run_uri=f"file://{tmp_path}",
            report_uri=f"file://{tmp_path}/report",
        ),
        partial(open_warehouse, uri_file=secret),
    )

    titles = [chart.title for chart in pipeline.visualize.charts]
    assert titles == [
        "Where the earth shook",
        "How many of which magnitude",
        "The strongest of each of the last 30 days",
    ]
    assert drawn.rows_in == 2 + 2 + 1


def test_it_waits_to_be_switched_on(pipeline: Pipeline) -> None:
    """A machine without internet has no failing runs."""
    assert pipeline.paused
