"""Lists the modes as a pipeline uses them; a new mode joins the suites with a line."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from etl_contract import LoadMode

FIRST, SECOND = date(2024, 3, 1), date(2024, 3, 2)
TABLE = "mart.flights"


@dataclass(frozen=True)
class Case:
    """A mode as a pipeline uses it: its target, and what loading a day twice does to the table's rows."""

    mode: LoadMode
    target: dict[str, Any]
    again: tuple[str, ...]  # which counts the same rows make again
    columns: tuple[str, ...] = ()  # what the mode adds to the dataset's columns
    staged: bool = False  # whether the rows wait in a staging table
    keeps_other_days: bool = True


CASES = [
    Case(LoadMode.append, {"table": TABLE, "mode": "append"}, ("inserted", "deleted"), ("_etl_batch",)),
    Case(LoadMode.replace, {"table": TABLE, "mode": "replace"}, ("inserted", "deleted"), keeps_other_days=False),
    Case(LoadMode.partition, {"table": TABLE, "mode": "partition", "partition": "day"}, ("inserted", "deleted")),
    Case(LoadMode.upsert, {"table": TABLE, "mode": "upsert", "key": ["id"]}, (), staged=True),
    Case(
        LoadMode.history,
        {"table": TABLE, "mode": "history", "key": ["id"]},
        (),
        ("valid_from", "valid_to", "is_current"),
        staged=True,
    ),
]


def flights(day: date, count: int = 500, *, version: int = 1) -> pa.Table:
    """Make a day's rows with a value of many kinds; another version differs in some."""
    ids = range(day.toordinal() * 1_000_000, day.toordinal() * 1_000_000 + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "day": pa.array([day] * count, pa.date32()),
            "delay": pa.array([None if i % 7 == 0 else i % 60 + version * (i % 10 == 0) for i in ids], pa.int16()),
            "tail": pa.array([f"N{i} é" if i % 3 else "" for i in ids], pa.string()),
            "fare": pa.array([Decimal(i % 1000) / 100 for i in ids], pa.decimal128(10, 2)),
            "share": pa.array([i / 7 for i in ids], pa.float64()),
        }
    )
