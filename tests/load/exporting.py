"""Writes exports as a run of the load stage would, in this process."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl_contract import Export, ExportTarget, LoadTask
from etl_contract.parquet import writing
from etl_load._export import prepare, publish
from etl_load._export_file import Places
from tests.load.warehouse import day_of


class Exporting:
    """A place to export to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exports = folder / "exports"
        self.places = Places(self.exports.as_uri(), folder / "connections")

    def task(self, rows: pa.Table, *targets: Mapping[str, Any], run_id: str = "scheduled__2024-03-01") -> LoadTask:
        """Describe a run that exports the dataset `orders`."""
        with writing(f"file://{self.folder}/runs", "orders", rows.schema) as writer:
            writer.write(rows)
            dataset = writer.finish()
        return LoadTask(
            pipeline="shop",
            run_id=run_id,
            interval=day_of(date(2024, 3, 1)),
            run_uri=f"file://{self.folder}",
            inputs=(dataset,),
            spec={},
            export=tuple(("orders", ExportTarget.model_validate(target)) for target in targets),
        )

    def export(self, rows: pa.Table, *targets: Mapping[str, Any], **about: Any) -> tuple[Export, ...]:  # noqa: ANN401
        """Export the rows to each target."""
        return self.run(self.task(rows, *targets, **about))

    def run(self, task: LoadTask) -> tuple[Export, ...]:
        """Run the task's exports."""
        with ExitStack() as files:
            return publish(task, prepare(task, files, self.places))

    def failing(self, task: LoadTask) -> None:
        """Run a task whose load fails when its files are written."""
        with ExitStack() as files:
            prepare(task, files, self.places)
            raise RuntimeError("the load failed")

    def bytes(self, path: str) -> bytes:
        """Give a file's content."""
        return (self.exports / path).read_bytes()

    def manifest(self, path: str) -> dict[str, Any]:
        """Give what stands beside a file."""
        manifest: dict[str, Any] = json.loads(self.bytes(f"{path}.manifest.json"))
        return manifest

    def listed(self) -> list[str]:
        """Name every file that is there, also the hidden ones."""
        return sorted(str(file.relative_to(self.exports)) for file in self.exports.rglob("*") if file.is_file())
