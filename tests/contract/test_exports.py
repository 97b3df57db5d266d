"""Where files go: what a pipeline may name, and what it may not."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from etl_contract import ExportTarget

START = datetime(2026, 1, 31, 5, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("to", "uri"),
    [
        ("orders/{start:%Y-%m-%d}.csv", "file:///exports/orders/2026-01-31.csv"),
        ("file:///exports/orders/{end:%d}.csv", "file:///exports/orders/31.csv"),
        ("été & co.csv", "file:///exports/%C3%A9t%C3%A9%20%26%20co.csv"),
        ("s3://bucket/{start:%Y}/orders.csv", "s3://bucket/2026/orders.csv"),
    ],
)
def test_a_place_has_the_interval_in_it(to: str, uri: str) -> None:
    """On the pipeline's clock."""
    assert ExportTarget.model_validate({"format": "csv", "to": to}).uri(START, START) == uri


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"to": "../orders.csv"}, "'../orders.csv' has an empty part, a '.' or a '..'"),
        ({"to": "a/../b.csv"}, "has an empty part, a '.' or a '..'"),
        ({"to": "a//b.csv"}, "has an empty part, a '.' or a '..'"),
        ({"to": "a/{start:..}/b.csv"}, "has an empty part, a '.' or a '..'"),
        ({"to": "/etc/passwd"}, "'/etc/passwd' is absolute; write a path in the volume, such as orders/today.csv"),
        ({"to": "file:///etc/passwd"}, "'file:///etc/passwd' is not in the volume; write file:///exports/..."),
        ({"to": "file:///exports/../runs/a.csv"}, "has an empty part, a '.' or a '..'"),
        ({"to": "ftp://host/a.csv"}, "'ftp://host/a.csv' is of no known store"),
        ({"to": "s3://bucket"}, "'s3://bucket' names no file of a bucket; write one such as s3://bucket/orders.csv"),
        ({"to": "s3://{start:%Y}/a.csv"}, "names no file of a bucket"),
        ({"to": "a\0b.csv"}, "has a character that a path should not have"),
        ({"to": "a\u202eb.csv"}, "has a character that a path should not have"),
        ({"to": "{day}.csv"}, "there is no value for '{day}'; write {start:%Y-%m-%d} or {end:%Y-%m-%d}"),
        ({"to": "{start.__class__:x}.csv"}, "there is no value for '{start.__class__}'"),
        ({"to": "{start}.csv"}, "there is no value for '{start}'"),
        ({"to": "{start.csv"}, "'{start.csv' cannot be read"),
        ({"to": "a.csv", "delimiter": ",,"}, "at most 1 character"),
        ({"to": "a.csv", "delimiter": '"'}, "can be no delimiter; write one such as ',' or ';'"),
        ({"to": "a.csv", "decimal": ","}, 'delimiter: is the decimal sign, too; write delimiter: ";"'),
        ({"to": "a.json", "format": "json", "bom": True}, "bom: has no meaning for format 'json'"),
        ({"to": "a.xlsx.gz", "format": "xlsx"}, "to: format 'xlsx' is compressed already; leave out .gz"),
        ({"to": "a.csv", "connection": "store"}, "connection: has no meaning for files of the volume"),
    ],
)
def test_a_place_that_cannot_be_is_refused(given: dict[str, object], problem: str) -> None:
    """With the value, and one that can."""
    with pytest.raises(ValidationError) as told:
        ExportTarget.model_validate({"format": "csv", **given})

    assert problem in str(told.value)


def test_a_target_travels_to_the_stage_as_it_is() -> None:
    """What a task says of it is read again the same."""
    target = ExportTarget.model_validate({"format": "json", "to": "a.json"})

    assert ExportTarget.model_validate_json(target.model_dump_json()) == target
