"""Values on their way through pandas: none of them changes."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

from etl_contract import SpecError
from etl_contract.parquet import reading, writing
from etl_transform._frames import read_frame, write_frame

BIG = 9_007_199_254_740_993  # the first integer that a float cannot hold


@pytest.mark.parametrize(
    ("values", "arrow"),
    [
        ([BIG, None], pa.int64()),
        ([1, None], pa.int16()),
        ([Decimal("1234567890123456789.01"), None], pa.decimal128(38, 2)),
        ([date(1, 1, 1), date(9999, 12, 31), None], pa.date32()),
        ([datetime(2026, 11, 1, 1, 30, 0, 1, tzinfo=ZoneInfo("UTC")), None], pa.timestamp("us", tz="UTC")),
        ([datetime.fromisoformat("1066-10-14"), None], pa.timestamp("us")),
        ([True, None, False], pa.bool_()),
        (["", None, "é\n\0"], pa.string()),
        ([b"\x00\xff", None], pa.binary()),
        ([[1, None], None, []], pa.list_(pa.int32())),
        ([0.1, None, float("inf")], pa.float64()),
    ],
)
def test_a_value_that_goes_through_untouched_comes_out_the_same(
    tmp_path: Path, values: list[object], arrow: pa.DataType
) -> None:
    """No integer becomes a float, no date a timestamp, no gap a NaN."""
    table = pa.table({"value": pa.array(values, arrow)})
    with writing(tmp_path.as_uri(), "in", table.schema) as writer:
        writer.write(table)
        dataset = writer.finish()

    written = write_frame(tmp_path.as_uri(), "out", read_frame(dataset))

    with reading(written) as parquet:
        result = parquet.read()
    assert result.schema.field("value").type == arrow
    assert result["value"].to_pylist() == values


def test_an_index_with_a_name_is_not_lost_in_silence(tmp_path: Path) -> None:
    """A forgotten reset_index() is told, not swallowed."""
    frame = pd.DataFrame({"id": [1], "price": [2]}).set_index("id")

    with pytest.raises(SpecError, match=r"the index 'id' would be lost\. Call reset_index\(\)"):
        write_frame(tmp_path.as_uri(), "orders", frame)


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    """A clumsy merge is told before the load."""
    frame = pd.DataFrame([[1, 2]], columns=["id", "id"])

    with pytest.raises(SpecError, match="two columns are named id"):
        write_frame(tmp_path.as_uri(), "orders", frame)


@pytest.mark.parametrize("name", ["../orders", "Orders", "orders.parquet", "", "a b"])
def test_a_dataset_has_a_name_that_is_safe(tmp_path: Path, name: str) -> None:
    """A name that is no name leads nowhere."""
    with pytest.raises(
        SpecError, match=r"is not a name of lower-case letters, digits and _ \(at most 63\)\. Return it"
    ):
        write_frame(tmp_path.as_uri(), name, pd.DataFrame({"id": [1]}))


def test_a_frame_that_is_written_stays_as_it_is(tmp_path: Path) -> None:
    """A frame under two names, or with numbers for names, is not changed by writing it."""
    frame = pd.DataFrame({1: [1], "b": [2]})

    write_frame(tmp_path.as_uri(), "orders", frame)

    assert list(frame.columns) == [1, "b"]


def test_a_column_of_mixed_types_is_told_by_name(tmp_path: Path) -> None:
    """A column that is half text, half number has no type, and the message names it."""
    frame = pd.DataFrame({"price": [1, "two", 3.0]})

    with pytest.raises(SpecError, match="price"):
        write_frame(tmp_path.as_uri(), "orders", frame)
