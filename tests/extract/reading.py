"""Reads one source, as extract does, into a table in memory."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from etl_contract import ExtractTask, FilesSource, HttpSource, Interval, Parameter, Source, TakenFile, Watermark
from etl_extract._inbox import FilesReader
from etl_extract._web import WebReader

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
NOVEMBER_1 = Interval(
    start=datetime(2026, 11, 1, 4, tzinfo=UTC), end=datetime(2026, 11, 2, 5, tzinfo=UTC), timezone="America/New_York"
)


def sql_task(interval: Interval = NOVEMBER_1, **params: Any) -> ExtractTask:  # noqa: ANN401 - as in YAML
    """Describe a run that reads SQL, with its parameters."""
    spec = {"orders": SOURCE.validate_python({"sql": "source", "table": "orders"})}
    known = {name: Parameter.model_validate(value) for name, value in params.items()}
    return ExtractTask(pipeline="shop", run_id="test", interval=interval, run_uri="file:///", spec=spec, params=known)


class Read:
    """What a source gave: its rows, and what is to be remembered of it."""

    def __init__(self, table: pa.Table, watermarks: tuple[Watermark, ...], files: tuple[TakenFile, ...]) -> None:
        self.table, self.watermarks, self.files = table, watermarks, files

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Give the rows."""
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found


class Extracting:
    """Reads sources of the pipeline `shop`.

    Args:
        folder: where the run's files, the inbox and the connections are.

    Attributes:
        full_refresh: whether the runs read all anew.
    """

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.connections = folder / "connections"
        self.connections.mkdir(exist_ok=True)
        self._run_uri = f"file://{folder}/run"
        self.full_refresh = False

    def task(self, **sources: dict[str, Any]) -> ExtractTask:
        """Describe a run."""
        spec = {name: SOURCE.validate_python(source) for name, source in sources.items()}
        run = {"run_id": "test", "interval": NOVEMBER_1, "run_uri": self._run_uri, "full_refresh": self.full_refresh}
        return ExtractTask(pipeline="shop", spec=spec, **run)

    def read(self, **source: Any) -> Read:  # noqa: ANN401 - as in YAML
        """Read one source, named `orders`."""
        task = self.task(orders=source)
        orders = task.spec["orders"]
        if isinstance(orders, HttpSource):
            reading = WebReader(task, self.connections).rows("orders", orders)
        else:
            assert isinstance(orders, FilesSource)
            reading = FilesReader(task, self.connections, self.inbox).rows("orders", orders)
        with reading as rows:
            return Read(pa.Table.from_batches(rows.batches, rows.schema), rows.watermarks(), rows.files)

    def put(self, name: str, content: bytes | str) -> None:
        """Put a file into the inbox."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def connection(self, name: str, **files: str) -> None:
        """Write the files of a connection; `ca_pem` is the file ca.pem."""
        (self.connections / name).mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (self.connections / name / file.replace("_pem", ".pem")).write_text(text)
