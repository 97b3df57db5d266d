"""What a task may name: files of its own run, and nothing else."""

from datetime import UTC, datetime

import pytest

from etl_contract import DataError, Dataset, Interval, LoadTask, StageTask, TransformTask, VisualizeTask

RUN = "file:///runs/orders/run-1"
ABOUT = {
    "pipeline": "orders",
    "run_id": "manual__1",
    "interval": Interval(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC)),
    "run_uri": RUN,
}
KINDS = [
    (TransformTask, "inputs", {}),
    (LoadTask, "inputs", {"spec": {}}),
    (LoadTask, "quarantined", {"spec": {}}),
    (VisualizeTask, "inputs", {"spec": {"title": "Orders", "figures": []}, "report_uri": "file:///reports/orders/1"}),
]


def _task(kind: type[StageTask], field: str, more: dict[str, object], uri: str) -> StageTask:
    """Build a task that is told of a file, as the operator does and as a stage reads it."""
    dataset = Dataset(name="orders", uri=uri, rows=1, bytes=1, sha256="0" * 64)
    task = kind.model_validate({**ABOUT, **more, field: (dataset,)})
    return kind.model_validate_json(task.model_dump_json())


@pytest.mark.parametrize(("kind", "field", "more"), KINDS)
@pytest.mark.parametrize("place", ["extract", "transform", "quarantine"])
def test_a_file_of_the_run_is_taken(kind: type[StageTask], field: str, more: dict[str, object], place: str) -> None:
    """Whichever stage has written it."""
    uri = f"{RUN}/{place}/daily_orders.parquet"

    (dataset,) = getattr(_task(kind, field, more, uri), field)
    assert dataset.uri == uri


@pytest.mark.parametrize(("kind", "field", "more"), KINDS)
@pytest.mark.parametrize(
    "uri",
    [
        "file:///runs/orders/run-2/extract/orders.parquet",
        "file:///runs/payroll/run-1/extract/orders.parquet",
        f"{RUN}-evil/extract/orders.parquet",
        f"{RUN}.parquet",
        f"{RUN}/../run-2/extract/orders.parquet",
        f"{RUN}/extract/../../run-2/extract/orders.parquet",
        f"{RUN}/%2e%2e/run-2/extract/orders.parquet",
        f"{RUN}/..%2frun-2/extract/orders.parquet",
        f"{RUN}/..\\run-2\\orders.parquet",
        f"{RUN}/./orders.parquet",
        f"{RUN}//orders.parquet",
        f"{RUN}/orders.parquet?x=/../../..",
        f"{RUN}/orders.parquet#x",
        f"{RUN}/orders.parquet\n",
        f"{RUN}/",
        RUN,
        "file:///run/secrets/warehouse/uri",
        "file:///proc/self/environ",
        "file://elsewhere/runs/orders/run-1/orders.parquet",
        "FILE:///runs/orders/run-1/orders.parquet",
        "/runs/orders/run-1/orders.parquet",
        "s3://bucket/runs/orders/run-1/orders.parquet",
        "s3://key:secret@bucket/orders.parquet?endpoint_override=http://192.0.2.1",
        f"mock://{RUN}/orders.parquet",
        "",
    ],
)
def test_any_other_file_is_refused(kind: type[StageTask], field: str, more: dict[str, object], uri: str) -> None:
    """Neither another run's, nor a secret, nor one elsewhere, however it is written."""
    with pytest.raises(DataError) as caught:
        _task(kind, field, more, uri)

    assert caught.value.problem == "the file is not one of this run"
    assert caught.value.where == (uri or "orders")
    assert caught.value.hint == f"A stage reads below {RUN}. Clear the stage that names it, and those after it."
