"""Deadlines: which pipelines have one, and what is left when a run misses it."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.definitions.deadline import DeadlineReference

from etl_alerts import _late
from etl_alerts._outbox import Kind, happened
from etl_platform import Pipeline, read_pipeline
from etl_platform._dag import build_dag
from etl_platform._settings import Settings
from tests.etl_alerts.conftest import YAML

CONTEXT = {
    "dag_run": {
        "dag_id": "orders",
        "dag_run_id": "run-1",
        "run_type": "scheduled",
        "run_after": "2026-03-08T12:00:00Z",
        "data_interval_start": "2026-03-07T00:00:00Z",
        "data_interval_end": "2026-03-08T00:00:00Z",
        "state": "running",
        "conf": None,
    },
    "deadline": {"id": "1", "deadline_time": "2026-03-08T14:00:00Z"},
}


def _deadline(folder: Path, alerts: str, defaults: str) -> Any:  # noqa: ANN401 - Airflow's list of one, or nothing
    (folder / "orders.yaml").write_text(f"{YAML}{alerts}")
    (folder / "defaults.yaml").write_text(defaults)
    pipeline = read_pipeline(folder / "orders.yaml")
    assert isinstance(pipeline, Pipeline), str(pipeline)
    settings = Settings("etl", "local", "0123456789abcdef", "", folder, alerts=folder / "defaults.yaml")
    return build_dag(pipeline, settings).deadline


@pytest.mark.parametrize(
    ("alerts", "defaults", "span"),
    [
        ("", "deadline: never\n", None),
        ("", "deadline: 2 hours\n", timedelta(hours=2)),
        ("alerts: {deadline: 90 minutes}\n", "deadline: 2 hours\n", timedelta(minutes=90)),
        ("alerts: {deadline: never}\n", "deadline: 2 hours\n", None),
        ("alerts: {deadline: 90 minutes}\n", "deadlin: 2 hours\n", timedelta(minutes=90)),
    ],
)
def test_a_run_may_take_as_long_as_its_pipeline_or_else_the_defaults_say(
    tmp_path: Path, alerts: str, defaults: str, span: timedelta | None
) -> None:
    """Counted from when it was queued; defaults that cannot be read take no pipeline with them."""
    deadline = _deadline(tmp_path, alerts, defaults)

    if span is None:
        assert not deadline
        return
    (only,) = deadline
    assert only.interval == span
    assert only.reference == DeadlineReference.DAGRUN_QUEUED_AT


def test_airflow_finds_what_to_call(tmp_path: Path) -> None:
    """By the name that stands in its database."""
    (only,) = _deadline(tmp_path, "alerts: {deadline: 1 hour}\n", "")
    module, _, name = only.callback.path.rpartition(".")

    assert getattr(import_module(module), name) is _late.late


def test_a_late_run_is_left_for_the_notifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what its day is told by."""
    (tmp_path / "happened").mkdir()
    monkeypatch.setattr(_late, "OUTBOX", tmp_path)

    _late.late(CONTEXT)

    ((_, happening),) = happened(tmp_path)
    assert (happening.kind, happening.pipeline, happening.run_id) == (Kind.late, "orders", "run-1")
    assert str(happening.interval) == "2026-03-07"
    assert happening.at == datetime(2026, 3, 8, 14, tzinfo=UTC)


@pytest.mark.parametrize("run", [{"state": "failed"}, {"state": "success"}, {"conf": {"dry_run": True}}])
def test_a_run_that_is_over_is_not_late_and_a_dry_run_is_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: dict[str, Any]
) -> None:
    """Airflow keeps the deadline of a run that failed, or that a person marked."""
    (tmp_path / "happened").mkdir()
    monkeypatch.setattr(_late, "OUTBOX", tmp_path)

    _late.late({**CONTEXT, "dag_run": {**CONTEXT["dag_run"], **run}})

    assert list(happened(tmp_path)) == []


def test_of_a_run_by_hand_only_the_run_knows_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing rather than another's day."""
    (tmp_path / "happened").mkdir()
    monkeypatch.setattr(_late, "OUTBOX", tmp_path)

    _late.late({**CONTEXT, "dag_run": {**CONTEXT["dag_run"], "run_type": "manual"}})

    ((_, happening),) = happened(tmp_path)
    assert happening.interval is None


def test_without_an_outbox_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the log."""
    monkeypatch.setattr(_late, "OUTBOX", tmp_path / "nowhere")

    _late.late(CONTEXT)

    assert "there is no outbox" in caplog.text
