"""Values of PostgreSQL as JSON has them."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from etl_contract import SpecError
from etl_visualize._table import as_table, plain

ZONE = ZoneInfo("America/New_York")
WHERE = "chart 1 'x'"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("é</script>", "é</script>"),
        (2013, 2013),
        (2**53 + 1, "9007199254740993"),
        (1.5, 1.5),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("12.50"), 12.5),
        (Decimal("NaN"), None),
        (Decimal("1e400"), None),
        (date(2026, 7, 1), "2026-07-01"),
        (datetime(2026, 7, 2, 3, 59, tzinfo=UTC), "2026-07-01T23:59:00"),
        (datetime.fromisoformat("2026-07-02T03:59"), "2026-07-02T03:59:00"),
        (time(6, 30), "06:30:00"),
        (timedelta(minutes=1.5), 90.0),
        (b"\x00\xff", "00ff"),
        ([Decimal("0.1"), None], [0.1, None]),
        ({"a": date(2026, 7, 1)}, {"a": "2026-07-01"}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ip_address("10.0.0.1"), "10.0.0.1"),
    ],
)
def test_every_value_becomes_json(value: object, expected: object) -> None:
    """What is no finite number is null, an instant is what the pipeline's clock shows, the rest is told exactly."""
    assert plain(value, ZONE) == expected
    json.dumps(plain(value, ZONE), allow_nan=False)


def test_a_column_has_the_type_of_its_first_value() -> None:
    """NULLs before it tell nothing."""
    rows: list[tuple[Any, ...]] = [(None, None), (Decimal(1), None)]

    assert as_table(["delay", "empty"], rows, "UTC", WHERE).columns == {"delay": Decimal, "empty": type(None)}


def test_two_columns_of_one_name_are_refused() -> None:
    """One would hide the other."""
    with pytest.raises(SpecError, match="two columns named count") as caught:
        as_table(["origin", "count", "count"], [], "UTC", WHERE)

    assert caught.value.where == WHERE
    assert caught.value.hint == "Give each its own name with 'as'."
