"""Makes tasks of the visualize stage, and a warehouse that knows its answers."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl_contract import Chart, Dataset, Interval, Load, SpecError, VisualizeTask
from etl_visualize._table import Table, as_table

NEW_YORK = "America/New_York"
MIDNIGHT = datetime(2026, 7, 2, 4, tzinfo=UTC)  # in New York
DAY = Interval(start=datetime(2026, 7, 1, 4, tzinfo=UTC), end=MIDNIGHT, timezone=NEW_YORK)
MADE = datetime(2026, 7, 2, 4, 30, tzinfo=UTC)

Answers = Mapping[str, Sequence[Mapping[str, Any]] | Table | SpecError]


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Give rows as the warehouse would."""
    names = list(rows[0]) if rows else ["hour"]
    return as_table(names, [tuple(row.values()) for row in rows], NEW_YORK, "chart 1 'x'")


def chart(mark: str | dict[str, Any] = "bar", *, title: str = "Flights", sql: str = "select", **encoding: Any) -> Chart:  # noqa: ANN401
    """Give a chart with these channels."""
    return Chart(title=title, sql=sql, mark=mark, encoding=encoding)


def task(*charts: Chart, folder: Path, title: str = "New York departures", **given: Any) -> VisualizeTask:  # noqa: ANN401
    """Give a task whose report goes to the folder; `figures` and `tables` are parts of it, too."""
    parts = {name: given.pop(name, ()) for name in ("figures", "tables")}
    common = {
        "pipeline": "flights",
        "run_id": "scheduled__2026-07-02T04:00:00+00:00",
        "interval": DAY,
        "run_uri": "file:///runs/flights/x",
        "report_uri": folder.as_uri(),
        "spec": {"title": title, "charts": charts, **parts},
    }
    return VisualizeTask.model_validate(common | given)


def about(interval: Interval = DAY, **params: Any) -> VisualizeTask:  # noqa: ANN401 - as in YAML
    """Give a task about an interval, with its parameters."""
    return task(folder=Path("/"), interval=interval, params=params)


def dataset(name: str, stage: str, rows: int, size: int = 2_345_678) -> Dataset:
    """Give a dataset of a stage."""
    uri = f"file:///runs/flights/x/{stage}/{re.sub(r'\W', '_', name)}.parquet"
    return Dataset(name=name, uri=uri, rows=rows, bytes=size, sha256="0" * 64)


def load(table_name: str, staged: int, inserted: int, updated: int, deleted: int) -> Load:
    """Give a line of the ledger."""
    return Load(
        load_id="1",
        dataset="flights",
        table=table_name,
        mode="upsert",
        rows_staged=staged,
        rows_inserted=inserted,
        rows_updated=updated,
        rows_deleted=deleted,
    )


class KnownWarehouse:
    """Answers each query as it was told."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def rows(self, sql: str, where: str, *, before: bool = False) -> Table:
        """Give the rows that belong to the query, or raise the error that does."""
        answer = self._answers[f"{sql} before" if before else sql]
        if isinstance(answer, SpecError):
            answer.where = where
            raise answer
        return answer if isinstance(answer, Table) else table(answer)

    def first(self, sql: str, where: str, count: int) -> Table:
        """Give the first rows."""
        found = self.rows(sql, where)
        return found._replace(rows=found.rows[:count], more=len(found.rows) > count)

    def reasons(self) -> Table:
        """Say why rows were set aside."""
        return self.rows("reasons", "reasons")

    def failed_tries(self) -> Table:
        """Give the tries that failed, of which there are mostly none."""
        return self.rows("failed tries", "failed tries") if "failed tries" in self._answers else table([])

    @contextmanager
    def connect(self, _: VisualizeTask) -> Iterator["KnownWarehouse"]:
        """Open it, as the stage opens the real one."""
        yield self


def png_detail(png: bytes) -> tuple[int, int, int]:
    """Give a PNG's width, height, and number of different steps from pixel to pixel, of which a blank one has few."""
    width, height = struct.unpack(">II", png[16:24])
    data, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + size
    steps = zlib.decompress(data)
    return width, height, len({steps[i : i + 4] for i in range(0, len(steps), 4)})
