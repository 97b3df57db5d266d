"""Runs the transform stage over rows of which something is expected."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl_contract import Dataset, Interval, StageResult, TransformTask
from etl_contract.parquet import writing
from etl_transform.__main__ import transform

DAY = Interval(start="2026-01-31T05:00Z", end="2026-02-01T05:00Z", timezone="America/New_York")


def written(folder: Path, name: str, rows: pa.Table) -> Dataset:
    """Write rows as extract does."""
    with writing(f"{folder.as_uri()}/extract", name, rows.schema) as writer:
        for batch in rows.to_batches(max_chunksize=1000):
            writer.write(batch)
        return writer.finish()


def task_of(folder: Path, rows: dict[str, pa.Table], expect: dict[str, Any], **more: Any) -> TransformTask:  # noqa: ANN401
    """Describe a run of the stage, as it travels to the container."""
    inputs = [written(folder, name, table) for name, table in rows.items()]
    common = {"pipeline": "orders", "run_id": "r", "interval": DAY, "run_uri": folder.as_uri(), "inputs": inputs}
    return TransformTask.model_validate_json(
        TransformTask.model_validate(common | {"expect": expect} | more).model_dump_json()
    )


def check(folder: Path, rows: pa.Table, /, **expectation: Any) -> StageResult:  # noqa: ANN401
    """Check one dataset, `orders`."""
    return transform(task_of(folder, {"orders": rows}, {"orders": expectation}))


def rows_of(dataset: Dataset) -> pa.Table:
    """Give a dataset's rows."""
    return pq.read_table(dataset.uri.removeprefix("file://"))


def set_aside(result: StageResult) -> dict[int, str]:
    """Give the numbers of the rows that were set aside, each with its rule."""
    return {
        row["row_number"]: row["rule"]
        for dataset in result.quarantined
        for row in rows_of(dataset).sort_by("row_number").to_pylist()
    }
