"""A pipeline's page in Airflow says what it is, what it reads and writes, and shows its whole text."""

from pathlib import Path
from typing import Any

import pytest

from etl_platform import Pipeline, read_pipeline
from etl_platform._doc import page_of
from etl_platform._flow import flow_of

PIPELINES = Path(__file__).parents[2] / "config" / "pipelines"
SOURCE = {"sql": "source", "table": "orders"}


def _pipeline(**fields: Any) -> Pipeline:  # noqa: ANN401 - as in YAML
    sections = {"extract": {"orders": SOURCE}, "load": {"orders": {"table": "orders", "mode": "replace"}}}
    return Pipeline.model_validate({"name": "orders", **sections, **fields})


def test_the_page_of_flights_has_it_all() -> None:
    """In words first, then in code that Airflow highlights."""
    pipeline = read_pipeline(PIPELINES / "flights.yaml")
    assert isinstance(pipeline, Pipeline)

    page = page_of(pipeline)

    for words in (
        "Every departure from New York, with its airline, aircraft and weather\n\n",
        "- **Owner:** data-team\n- **Tags:** demo, aviation\n- **Runs:** At 00:00, in America/New_York\n",
        "[the picture](dags/flights/plugin/data-flow)",
        "\n\n| Reads | |\n|---|---|\n| `flights` | `a query on source` |\n",
        "| `planes` | `table planes of source` |\n",
        "\n\n| Writes | |\n|---|---|\n| [mart.flights](assets?name_pattern=mart.flights) | partition by ",
        "| [mart.daily_delays](assets?name_pattern=mart.daily_delays) | upsert by flight_date, origin, carrier |\n",
        "| *New York departures* | the report |\n",
        f"```yaml\n{pipeline.text.strip()}\n```",
        f"```python\n{pipeline.files['flights.py'].strip()}\n```",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("schedule", "starts"),
    [
        (None, "by hand only"),
        ("30 4 * * 1-5", "At 04:30, Monday through Friday, in UTC"),
        ({"changed": ["flights"]}, "when mart.flights has changed"),
        ({"changed": ["flights", "planes"]}, "when all of these have changed: mart.flights, mart.planes"),
        ({"any_changed": ["flights", "planes"]}, "when any of these has changed: mart.flights, mart.planes"),
    ],
)
def test_what_starts_a_pipeline_is_said_in_words(schedule: Any, starts: str) -> None:  # noqa: ANN401 - as in YAML
    """A cron expression is for machines."""
    assert flow_of(_pipeline(schedule=schedule)).starts == starts


@pytest.mark.parametrize(
    ("source", "about", "table"),
    [
        (SOURCE | {"cursor": "at"}, "table orders of source, what is new by at", None),
        ({"sql": "warehouse", "table": "mart.flights"}, "table mart.flights of warehouse", "mart.flights"),
        ({"http": "https://example.org/{start:%Y}.csv"}, "https://example.org/{start:%Y}.csv", None),
        ({"files": "orders/*.csv"}, "inbox/orders/*.csv, each file once", None),
        ({"files": "s3://shop/*.csv"}, "s3://shop/*.csv, each file once", None),
    ],
)
def test_each_kind_of_source_is_told(source: dict[str, Any], about: str, table: str | None) -> None:
    """A table of the warehouse leads to Airflow's list of who writes it."""
    (place,) = flow_of(_pipeline(extract={"orders": source}, load={"orders": {"table": "o", "mode": "append"}})).reads

    assert (place.about, place.table) == (about, table)


def test_a_text_with_fences_of_its_own_stays_whole() -> None:
    """Its fences are shorter than ours."""
    text = "description: |\n  ```sql\n  select 1\n  ```\n"

    assert f"````yaml\n{text.strip()}\n````" in page_of(_pipeline(text=text))
