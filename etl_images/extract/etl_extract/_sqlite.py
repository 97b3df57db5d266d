"""Reads a SQLite file: each column's type is the declared one, or where there is none, that of all its values."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import SpecError, StageError, Unavailable
from etl_extract._database import Statement, decimal
from etl_extract._kind import Columns, First, Kind, Plain, same
from etl_extract._times import know_times

_DIGITS = re.compile(r"(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_LOOSE = ("", "BLOB", "NUM")  # what a view has for columns of any value
_PASSING = ("locked", "busy", "disk i/o")


class Told(NamedTuple):
    """What a column was declared as, and the storage classes of its values where it was not."""

    declared: str
    found: frozenset[str]


def _url(url: sa.URL, name: str, where: str) -> sa.URL:
    path = Path(url.database or "")
    if not path.is_file():
        hint = "Its address is sqlite:////inbox/shop.db; `make put FILE=shop.db` puts a file there."
        raise SpecError(f"connection '{name}': there is no file '{path}'", where=where, hint=hint)
    wal = path.with_name(f"{path.name}-wal")
    if wal.is_file() and wal.stat().st_size:
        hint = "Put a copy there that is made by: sqlite3 shop.db 'vacuum into \"copy.db\"'."
        raise SpecError(f"connection '{name}': '{path}' has changes beside it in '{wal.name}'", where=where, hint=hint)
    # Nobody writes to a file of the inbox, and nothing can be written beside it.
    return url.set(database=f"file:{path}").update_query_dict({"mode": "ro", "immutable": "1", "uri": "true"})


def _told(connection: sa.Connection, statement: Statement) -> tuple[Statement, list[Told]]:
    """Ask for the types by a view, which keeps those of the columns that it selects."""
    know_times(connection)
    connection.exec_driver_sql("pragma temp_store = memory")
    query = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    connection.exec_driver_sql("drop view if exists temp.etl_source")
    connection.exec_driver_sql(f"create temp view etl_source as {query}".rstrip().rstrip(";"))
    columns = connection.exec_driver_sql("pragma temp.table_info(etl_source)").all()
    quote = connection.dialect.identifier_preparer.quote_identifier
    loose = [name for _, name, declared, *_ in columns if declared.upper() in _LOOSE]
    found: dict[str, frozenset[str]] = {}
    if loose:
        asked = ", ".join(f"group_concat(distinct typeof({quote(name)}))" for name in loose)
        classes = connection.exec_driver_sql(f"select {asked} from temp.etl_source").one()  # noqa: S608 - quoted names
        found = {
            name: frozenset((texts or "").split(",")) - {"", "null"} for name, texts in zip(loose, classes, strict=True)
        }
    return statement, [Told(declared.upper(), found.get(name, frozenset())) for _, name, declared, *_ in columns]


def _columns(_result: sa.CursorResult[Any], told: list[Told], _first: First) -> Columns:
    return [_found(column.found) if column.found else _declared(column.declared) for column in told]


def _declared(kind: str) -> tuple[pa.DataType, Plain]:
    """Give the type by SQLite's own rules, and by the names that people give dates and decimals."""
    if (digits := _DIGITS.match(kind)) and (precision := int(digits[1])):
        scale = int(digits[2] or 0)
        arrow = decimal(max(precision, scale), scale)
        return arrow, _text if arrow == pa.string() else _decimal
    rules: tuple[tuple[tuple[str, ...], pa.DataType, Plain], ...] = (
        (("BOOL",), pa.bool_(), _boolean),
        (("DATETIME", "TIMESTAMP"), pa.timestamp("us"), _timestamp),
        (("DATE",), pa.date32(), _date),
        (("INT",), pa.int64(), same),
        (("CHAR", "CLOB", "TEXT", "JSON", "UUID", "TIME"), pa.string(), _text),
        (("BLOB",), pa.binary(), same),
        (("REAL", "FLOA", "DOUB"), pa.float64(), same),
    )
    for words, arrow, plain in rules:
        if any(word in kind for word in words):
            return arrow, plain
    return pa.decimal128(38, 10), _decimal  # NUMERIC affinity


def _found(classes: frozenset[str]) -> tuple[pa.DataType, Plain]:
    if classes == {"integer"}:
        return pa.int64(), same
    if classes and classes <= {"integer", "real"}:
        return pa.float64(), same
    return (pa.binary(), same) if classes == {"blob"} else (pa.string(), _text)


def _decimal(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number") from None


def _boolean(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r} is neither 0 nor 1")
    return bool(value)


def _date(value: object) -> date:
    return date.fromisoformat(_iso(value))


def _timestamp(value: object) -> datetime:
    return datetime.fromisoformat(_iso(value))


def _iso(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no ISO text")  # noqa: TRY004 - the value is wrong
    return value


def _text(value: object) -> str:
    if isinstance(value, bytes):
        raise ValueError("it holds bytes and texts")  # noqa: TRY004 - the value is wrong
    return str(value)


def _fault(error: exc.DBAPIError) -> tuple[type[StageError], str]:
    message = str(error.orig)
    return (Unavailable if any(word in message.lower() for word in _PASSING) else SpecError), message


SQLITE = Kind(url=_url, begin=(), told=_told, columns=_columns, fault=_fault)
