"""What a load meets that is wrong, it tells in words that a person can act on; table and ledger stay as they were."""

from typing import Any

import pyarrow as pa
import pytest

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_load import _warehouse
from etl_load._load import load_into
from tests.load.cases import FIRST, TABLE, Case, flights
from tests.load.warehouse import Loading

APPEND: dict[str, Any] = {"table": "t", "mode": "append"}
KEYED = {**APPEND, "key": ["id"]}
CUT = "a" * 77
AGAIN = "It is tried again. If it stays, look at the warehouse: is it up, full, or locked by someone?"

CASES: list[tuple[str, pa.Table, dict[str, Any], type[StageError], str]] = [
    (
        "key twice",
        pa.table({"id": [1, 2, 1]}),
        KEYED,
        DataError,
        'load.t: could not create unique index "t_pkey": Key (id)=(1) is duplicated. Correct the rows in the',
    ),
    (
        "key missing",
        pa.table({"id": [1, None]}),
        KEYED,
        DataError,
        'load.t, column \'id\': null value in column "id" of relation "t" violates not-null constraint: ',
    ),
    (
        "one column too many with the mode's own",
        pa.table({f"c{number}": [1] for number in range(1600)}),
        APPEND,
        SpecError,
        "load.t: tables can have at most 1600 columns. Correct the pipeline, or the table.",
    ),
    (
        "a row that is larger than a page",
        pa.table({f"c{number}": [1.5] for number in range(1599)}),
        APPEND,
        SpecError,
        "load.t: row is too big: size 12",
    ),
    (
        "a NUL character in text",
        pa.table({"v": ["fine", "N1\x004"]}),
        APPEND,
        DataError,
        "load.t, row 2, column 'v': 'N1\\x004': invalid byte sequence for encoding \"UTF8\": 0x00. PostgreSQL's text",
    ),
    (
        "a NUL character in JSON",
        pa.table({"v": pa.array([{"a": "\0"}])}),
        APPEND,
        DataError,
        "load.t, row 1, column 'v': {'a': '\\x00'}: unsupported Unicode escape sequence: \\u0000 cannot be converted",
    ),
    (
        "text that is no JSON",
        pa.table({"v": ['{"a": 1}', "{a: 1}"]}),
        {**APPEND, "columns": {"v": "jsonb"}},
        DataError,
        "load.t, column 'v': 1 of 2 rows are no jsonb: '{a: 1}' (1 rows). Correct or empty them in the transform,",
    ),
    (
        "a date after all dates",
        pa.table({"v": pa.array([0, 2**31 - 2], pa.date32())}),
        APPEND,
        DataError,
        "load.t, row 2, column 'v': <value out of range: 2147483646>: date out of range. Correct the rows",
    ),
    (
        "a time before all times",
        pa.table({"v": pa.array([-(2**63) + 2], pa.timestamp("us"))}),
        APPEND,
        DataError,
        "load.t, row 1, column 'v': <value out of range: -9223372036854775806> is no TIMESTAMP: overflow. Round or",
    ),
    (
        "a text that is longer than declared",
        pa.table({"v": ["a", CUT + "bcdef"]}),
        {**APPEND, "columns": {"v": "varchar(5)"}, "schema": "frozen"},
        DataError,
        f"load.t, row 2, column 'v': '{CUT}bc...: value too long for type character varying(5). Correct the rows",
    ),
    (
        "a number that no type holds",
        pa.table({"v": [1e300]}),
        {**APPEND, "columns": {"v": "numeric(12,2)"}},
        DataError,
        "load.t: numeric field overflow: A field with precision 12, scale 2 must round to an absolute value less",
    ),
]


@pytest.mark.parametrize(("rows", "target", "kind", "message"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_is_wrong_is_told(
    loading: Loading, rows: pa.Table, target: dict[str, Any], kind: type[StageError], message: str
) -> None:
    """The error says what should happen next, with value, place and remedy; no table, no line, no staging is left."""
    with pytest.raises(kind) as caught:
        loading.load("t", rows, target)

    assert str(caught.value).startswith(message)
    assert loading.warehouse.sql("select to_regclass('mart.t')") == [(None,)]
    assert loading.warehouse.ledger() == []
    assert loading.warehouse.staging() == []


def test_lock_that_somebody_holds_asks_for_a_retry(
    loading: Loading, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that somebody has locked is waited for, and after that the load is tried again."""
    loading.load("flights", flights(FIRST, 10), case.target)
    before = loading.warehouse.rows(TABLE)
    monkeypatch.setitem(_warehouse._SESSION, "lock_timeout", "200ms")  # ten minutes otherwise

    with (
        loading.warehouse.holding(f"lock table {TABLE} in exclusive mode"),
        pytest.raises(Unavailable) as caught,
    ):
        loading.load("flights", flights(FIRST, 10, version=2), case.target, run_id="next")

    assert str(caught.value) == f"load.flights: canceling statement due to lock timeout. {AGAIN}"
    assert loading.warehouse.rows(TABLE) == before
    assert loading.warehouse.staging() == []


def test_full_disk_asks_for_a_retry(loading: Loading, case: Case) -> None:
    """A disk without room fails nothing for good: the table stays, and with room the retry loads."""
    task = loading.task({"flights": (flights(FIRST, 60_000), case.target)})
    loading.load("flights", flights(FIRST, 0), case.target)
    loading.warehouse.sql("create tablespace small location '/small'")
    try:
        loading.warehouse.sql(f"alter table {TABLE} set tablespace small")

        with pytest.raises(Unavailable, match=r'could not extend file "pg_tblspc/.*: No space left on device'):
            load_into(loading.warehouse.uri(), task)

        assert loading.warehouse.rows(TABLE) == []
        loading.warehouse.sql(f"alter table {TABLE} set tablespace pg_default")
        load_into(loading.warehouse.uri(), task)
        assert len(loading.warehouse.rows(TABLE)) == 60_000
    finally:
        loading.warehouse.clear()
        loading.warehouse.sql("drop tablespace small")
