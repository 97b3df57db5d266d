"""A dry run shows what would be loaded, and touches neither the warehouse nor a file."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from etl_contract import Dataset, ExportTarget, Interval, LoadTarget, LoadTask, NothingToDo, SpecError
from etl_contract.parquet import writing
from etl_load.__main__ import load
from tests.load.warehouse import day_of

ROWS = pa.table({"id": range(1, 9), "event": ["pen"] * 8, "sold_on": [date(2026, 1, 31)] * 8})


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Give a dataset of eight rows."""
    with writing(tmp_path.as_uri(), "orders", ROWS.schema) as writer:
        for batch in ROWS.to_batches():
            writer.write(batch)
        return writer.finish()


def _task(dataset: Dataset, interval: Interval, key: str = "id") -> LoadTask:
    target = LoadTarget.model_validate({"table": "orders", "mode": "upsert", "key": [key]})
    export = ExportTarget.model_validate({"format": "csv", "to": "orders/today.csv"})
    run_uri = dataset.uri.rpartition("/")[0]
    common = {"pipeline": "shop", "run_id": "dry", "interval": interval, "run_uri": run_uri}
    parts = {"spec": {"orders": target}, "export": (("orders", export),), "inputs": (dataset,), "dry_run": True}
    return LoadTask.model_validate({**common, **parts})


def test_the_log_shows_rows_columns_and_the_first_rows(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no warehouse here at all, and no volume for files: the load asks for neither."""
    with pytest.raises(NothingToDo, match="this was a dry run, and nothing was loaded") as end:
        load(_task(dataset, day_of(date(2026, 1, 31))))

    shown = capsys.readouterr().out
    assert "orders: 8 rows would go into mart.orders by upsert and to orders/today.csv" in shown
    assert "'id': 'bigint', 'event': 'text', 'sold_on': 'date'" in shown
    assert shown.count("orders: one of its rows") == 5
    assert "'id': '5', 'event': 'pen', 'sold_on': '2026-01-31'" in shown
    assert "without 'dry_run'" in end.value.hint


def test_what_could_not_be_loaded_is_told(dataset: Dataset) -> None:
    """As the load itself would."""
    with pytest.raises(SpecError, match="there is no column 'number'"):
        load(_task(dataset, day_of(date(2026, 1, 31)), key="number"))
