"""A full refresh: what a cursor could not see is right afterwards, and the next run goes on from there."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests._stack import Stack

YAML = """\
description: A pipeline of the tests that reads only what is new
extract:
  parcels: {sql: source, table: parcels, cursor: sent}
load:
  parcels: {table: mart.parcels, mode: append}
"""
SOURCE = """
create table parcels (id integer, sent integer, weight integer);
insert into parcels values (1, 10, 100), (2, 20, 200), (3, 30, 300);
grant select on parcels to public;
"""
# Changed in place, gone, and come late: by its cursor, nothing of it is new.
BEHIND_ITS_BACK = """
update parcels set weight = 111 where id = 1;
delete from parcels where id = 2;
insert into parcels values (4, 15, 400);
"""

FORGET = """
drop table if exists mart.parcels;
delete from etl.loads where pipeline = 'parcels';
delete from etl.watermarks where pipeline = 'parcels';
"""


@pytest.fixture
def parcels(stack: Stack) -> Iterator[str]:
    """Give the pipeline, and its table at the source."""
    stack.sql("source", SOURCE)
    with stack.pipeline("parcels", {"parcels.yaml": YAML}) as name:
        yield name
    stack.sql("source", "drop table parcels")
    stack.sql("warehouse", FORGET)


def _rows(stack: Stack, database: str, table: str) -> list[dict[str, str]]:
    return stack.sql(database, f"select id, sent, weight from {table} order by 1")  # noqa: S608 - our own


def _refresh(stack: Stack, pipeline: str) -> str:
    """Ask for a full refresh, as the trigger form does; give the run's id."""
    body = {"logical_date": datetime.now(UTC).isoformat(), "conf": {"full_refresh": True}}
    answer = stack.api.post(f"/api/v2/dags/{pipeline}/dagRuns", json=body)
    run_id: str = answer.raise_for_status().json()["dag_run_id"]
    state = stack.wait_for_run(pipeline, run_id)
    assert state == "success", "\n".join(stack.messages(pipeline, run_id))
    return run_id


def test_a_full_refresh_makes_the_table_what_the_source_is(stack: Stack, parcels: str) -> None:
    """Each row once, those that are gone are gone, and the watermark is the source's again."""
    stack.run(parcels)
    as_first_read = _rows(stack, "warehouse", "mart.parcels")
    stack.sql("source", BEHIND_ITS_BACK)
    stack.run(parcels)
    unseen = _rows(stack, "warehouse", "mart.parcels")

    refreshed = _refresh(stack, parcels)

    assert len(as_first_read) == 3
    assert unseen == as_first_read
    assert _rows(stack, "warehouse", "mart.parcels") == _rows(stack, "source", "parcels")
    loads = "select mode, rows_inserted, rows_deleted from etl.loads where run_id = :'run'"
    assert stack.one("warehouse", loads, run=refreshed) == {
        "mode": "refresh",
        "rows_inserted": "3",
        "rows_deleted": "3",
    }
    stack.sql("source", "insert into parcels values (5, 40, 500)")
    after = stack.run(parcels)
    assert stack.result(parcels, after, "extract")["rows_in"] == 1
    assert _rows(stack, "warehouse", "mart.parcels") == _rows(stack, "source", "parcels")
