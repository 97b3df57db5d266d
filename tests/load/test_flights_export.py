"""config/pipelines/flights_export: a day of flights in, its summary as files out."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pyarrow as pa

from etl_contract import exports_of
from etl_contract.parquet import reading
from etl_platform import Pipeline, read_pipeline
from tests.load.exporting import Exporting
from tests.transform.running import Stage

FILE = Path(__file__).parents[2] / "config" / "pipelines" / "flights_export.yaml"
FLIGHTS = pa.table(
    {
        "flight_date": pa.array([date(2024, 3, 1)] * 4, pa.date32()),
        "origin": ["JFK", "JFK", "EWR", "JFK"],
        "carrier": ["B6", "B6", "UA", "AA"],
        "airline": ["JetBlue Airways", "JetBlue Airways", "United Air Lines Inc.", "American Airlines Inc."],
        "dep_delay": pa.array([20, -5, 3, 15], pa.int32()),
        "distance": pa.array([1000, 1000, 719, 2475], pa.int32()),
    }
)
EXPECTED = [
    ("2024-03-01", "EWR", "UA", "United Air Lines Inc.", 1, 3.0, 0, 719),
    ("2024-03-01", "JFK", "AA", "American Airlines Inc.", 1, 15.0, 1, 2475),
    ("2024-03-01", "JFK", "B6", "JetBlue Airways", 2, 7.5, 1, 2000),
]
NAMES = ["flight_date", "origin", "carrier", "airline", "departures", "mean_delay", "late", "miles"]


def test_a_day_is_summed_up_in_two_files(exporting: Exporting, tmp_path: Path) -> None:
    """A line an airport and airline, the same in CSV and JSON, named after the day."""
    pipeline = read_pipeline(FILE)
    assert isinstance(pipeline, Pipeline), str(pipeline)
    stage = Stage(tmp_path / "run", flights=FLIGHTS)
    (made,) = stage.run(pipeline.model_dump(mode="json")["transform"], pipeline.files).datasets
    with reading(made) as parquet:
        rows = parquet.read()
    exporting.export(rows, *(target.model_dump() for _, target in exports_of(pipeline.export)))

    assert list(csv.reader(io.StringIO(exporting.bytes("flights/2024-03-01.csv").decode()))) == [
        NAMES,
        *([str(value).removesuffix(".0") for value in row] for row in EXPECTED),
    ]
    assert json.loads(exporting.bytes("flights/2024-03-01.json")) == [
        dict(zip(NAMES, row, strict=True)) for row in EXPECTED
    ]
