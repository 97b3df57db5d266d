"""Runs that start when tables have changed."""

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.assets.evaluation import AssetEvaluator
from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
from airflow.serialization.serialized_objects import DagSerialization

from etl_contract import Interval, Load, Outcome, StageResult
from etl_platform import Broken, Pipeline, read_pipeline
from etl_platform._assets import asset, changed, outlets, tell
from etl_platform._dag import build_dag
from etl_platform._interval import local_day, run_interval
from etl_platform._settings import Settings

NEW_YORK = "America/New_York"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
TABLES = "extract: {orders: {sql: source, table: orders}}\nload: {orders: {table: orders, mode: upsert, key: [id]}}\n"


def _read(folder: Path, schedule: str) -> Pipeline | Broken:
    (folder / "orders.yaml").write_text(f"{TABLES}timezone: {NEW_YORK}\nschedule: {schedule}\n")
    return read_pipeline(folder / "orders.yaml")


def _events(*intervals: Interval) -> dict[str, list[SimpleNamespace]]:
    return {"mart.flights": [SimpleNamespace(extra={"rows": 1, **each.model_dump(mode="json")}) for each in intervals]}


def test_a_pipeline_names_the_tables_that_start_it(tmp_path: Path) -> None:
    """As load names them; such a pipeline has no clock."""
    pipeline = _read(tmp_path, "{changed: [flights, mart.daily_delays]}")

    assert isinstance(pipeline, Pipeline), str(pipeline)
    assert pipeline.changed == ("mart.flights", "mart.daily_delays")
    assert pipeline.cron is None


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("{changed: [orders]}", "line 4, schedule: the pipeline changes mart.orders itself, so it would start itself"),
        ("{any_changed: [flights, orders]}", "line 4, schedule: the pipeline changes mart.orders itself"),
        (
            "{any_changed: [flights], changed: [weather]}",
            "line 4, schedule: give either 'changed' or 'any_changed', not",
        ),
        ("{}", "line 4, schedule: give either 'changed' or 'any_changed', not both and not neither"),
        ("{changd: [flights]}", "line 4, schedule.changd: no such field; did you mean 'changed'?"),
        ("{changed: []}", "line 4, schedule.changed: "),
        ("{changed: [Flights]}", "line 4, schedule.changed.1: 'Flights' is not a table such as mart.orders"),
        ("sometimes", "line 4, schedule: 'sometimes' is no cron expression; write one such as '0 6 * * *', or @daily"),
    ],
)
def test_a_schedule_that_cannot_be_is_told(tmp_path: Path, schedule: str, problem: str) -> None:
    """With its line."""
    broken = _read(tmp_path, schedule)

    assert isinstance(broken, Broken)
    assert problem in str(broken)


def test_a_load_tells_what_it_changed_and_a_run_learns_it() -> None:
    """The interval arrives as it left; so do the counts."""
    day = local_day(date(2026, 3, 8), NEW_YORK)
    load = Load(
        load_id="1",
        dataset="flights",
        table="mart.flights",
        mode="partition",
        rows_staged=5,
        rows_inserted=5,
        rows_updated=0,
        rows_deleted=4,
    )
    left: dict[Any, SimpleNamespace] = {asset("mart.flights"): SimpleNamespace(extra={})}

    tell(left, "flights", day, StageResult(outcome=Outcome.done, loads=(load,)))

    (event,) = left.values()
    assert {"pipeline": "flights", "rows": 5, "inserted": 5, "deleted": 4}.items() <= event.extra.items()
    assert changed({key: [event] for key in left}) == [day]


def test_a_table_has_one_name_in_airflow() -> None:
    """The one that people write, and an address that Airflow leaves as it is."""
    named = asset("mart.flights")

    assert (named.name, named.uri, named.group) == ("mart.flights", "warehouse://mart/flights", "warehouse")


def test_a_run_is_about_all_that_changed(tmp_path: Path) -> None:
    """From the start of the first load to the end of the last, on the pipeline's own clock."""
    pipeline = _read(tmp_path, "{changed: [flights]}")
    assert isinstance(pipeline, Pipeline)
    days = [local_day(date(2026, 3, day), NEW_YORK) for day in (9, 7, 8)]

    def interval(*loaded: Interval) -> str:
        return str(run_interval(pipeline, (None, None), NOW, changed(_events(*loaded))))

    assert interval(days[0]) == "2026-03-09"
    assert interval(*days) == "2026-03-07 to 2026-03-09"
    assert interval() == "2026-11-23"


def test_an_event_that_is_not_ours_says_nothing() -> None:
    """A person may mark a table as changed in the web UI; then the run is about the last complete day."""
    assert changed({"mart.flights": [SimpleNamespace(extra={})]}) == []
    assert changed(None) == []


def test_our_pipeline_of_files_starts_when_flights_have_changed() -> None:
    """The one loads what the other waits for."""
    folder = Path(__file__).parents[2] / "config" / "pipelines"
    flights, export = (read_pipeline(folder / f"{name}.yaml") for name in ("flights", "flights_export"))
    assert isinstance(flights, Pipeline)
    assert isinstance(export, Pipeline)

    assert set(export.changed) <= {table.name for table in outlets(flights)}
    assert outlets(export) == []


@pytest.mark.parametrize(
    ("name", "starts"), [("flights", "CronDataIntervalTimetable"), ("flights_export", "AssetTriggeredTimetable")]
)
def test_airflow_takes_the_schedule(name: str, starts: str, tmp_path: Path) -> None:
    """A clock starts the one, the change of a table the other; only a load says that it changes some."""
    pipeline = read_pipeline(Path(__file__).parents[2] / "config" / "pipelines" / f"{name}.yaml")
    assert isinstance(pipeline, Pipeline)
    dag = build_dag(pipeline, Settings("etl", "local", "0123456789abcdef", "tcp://docker-guard:2375", tmp_path))

    assert type(dag.timetable).__name__ == starts
    assert {task.task_id: len(task.outlets) for task in dag.tasks if task.outlets} == (
        {"load": 2} if name == "flights" else {}
    )


@pytest.mark.parametrize(
    ("schedule", "wants", "starts"),
    [
        ("{changed: [flights, weather]}", {"mart.flights"}, False),
        ("{changed: [flights, weather]}", {"mart.flights", "mart.weather"}, True),
        ("{any_changed: [flights, weather]}", {"mart.flights"}, True),
        ("{any_changed: [flights, weather]}", {"mart.airports"}, False),
    ],
)
def test_a_run_waits_for_all_tables_or_for_any(
    tmp_path: Path,
    schedule: str,
    wants: set[str],
    starts: bool,  # noqa: FBT001 - a table of cases
) -> None:
    """As Airflow judges it, from what it keeps of the DAG."""
    pipeline = _read(tmp_path, schedule)
    assert isinstance(pipeline, Pipeline), str(pipeline)
    dag = build_dag(pipeline, Settings("etl", "local", "0123456789abcdef", "tcp://docker-guard:2375", tmp_path))

    kept = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    condition = kept.timetable.asset_condition

    assert {asset.name for _, asset in condition.iter_assets()} == {"mart.flights", "mart.weather"}
    loaded = {SerializedAssetUniqueKey(name, f"warehouse://{name.replace('.', '/')}"): True for name in wants}
    assert AssetEvaluator(cast("Any", None)).run(condition, loaded) is starts
