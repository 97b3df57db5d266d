"""Runs the transform stage in this process, over rows that a test gives."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl_contract import Dataset, Interval, Parameter, StageResult, TransformTask
from etl_contract.parquet import reading, writing
from etl_transform.__main__ import transform

NEW_YEAR = Interval(
    start=datetime(2026, 1, 1, 5, tzinfo=UTC), end=datetime(2026, 1, 2, 5, tzinfo=UTC), timezone="America/New_York"
)
ORDERS = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "price": pa.array([10, 20, None], pa.decimal128(10, 2)),
        "shop": ["Paris", "Lyon", "Paris"],
    }
)


class Stage:
    """The transform stage of a run in a folder, with datasets that extract has left there."""

    def __init__(self, folder: Path, **tables: pa.Table) -> None:
        self.folder = folder
        self.inputs = tuple(self._stored(name, table) for name, table in tables.items())
        self.params: dict[str, Parameter] = {}

    def run(self, spec: Any, files: Mapping[str, str] | None = None, **lines: int) -> StageResult:  # noqa: ANN401
        """Run it; `lines` say where a query begins in the pipeline's file."""
        task = TransformTask.model_validate(
            {
                "pipeline": "orders",
                "run_id": "manual__1",
                "interval": NEW_YEAR,
                "run_uri": self.folder.as_uri(),
                "inputs": self.inputs,
                "spec": spec,
                "files": files or {},
                "lines": {place.replace("__", "."): line for place, line in lines.items()},
                "params": self.params,
            }
        )
        return transform(task)

    def query(self, query: str) -> pa.Table:
        """Run a query, and give what it makes."""
        return self.rows(self.run({"sql": {"result": query}}))

    @staticmethod
    def rows(result: StageResult, name: str = "result") -> pa.Table:
        """Read a dataset of a result."""
        (dataset,) = [dataset for dataset in result.datasets if dataset.name == name]
        with reading(dataset) as parquet:
            return parquet.read()

    def _stored(self, name: str, table: pa.Table) -> Dataset:
        with writing(f"{self.folder.as_uri()}/extract", name, table.schema) as writer:
            writer.write(table)
            return writer.finish()
