"""Reads MySQL and MariaDB: in one snapshot, by UTC's clock, with the types that the server tells of a result."""

from contextlib import closing
from datetime import UTC
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_extract._database import Statement, decimal, inner, selected
from etl_extract._kind import Columns, First, Kind, Plain, same

# https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_INTEGERS = {1: pa.int16(), 2: pa.int32(), 3: pa.int64(), 9: pa.int32(), 13: pa.int16()}  # wide enough for UNSIGNED
_OTHERS = {
    4: pa.float32(),
    5: pa.float64(),
    7: pa.timestamp("us", tz="UTC"),  # TIMESTAMP is an instant; DATETIME is what a clock shows
    10: pa.date32(),
    11: pa.duration("us"),  # TIME goes from -838 to 838 hours
    12: pa.timestamp("us"),
}
_DECIMALS, _FLOAT, _BIGINT, _BIT, _BLOBS, _GEOMETRY = (0, 246), 4, 8, 16, (249, 250, 251, 252, 253, 254), 255
_UNSIGNED, _BINARY = 32, 63
_LONG = pa.decimal128(20, 0)  # as far as 64 bits without a sign
# No way to it, too many at once, shutting down, a lock that lasts, a deadlock: https://mariadb.com/kb/en/mariadb-error-codes/
_PASSING = {1040, 1053, 1129, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1317, *range(2000, 3000)}
_DATA = {1264, 1265, 1292, 1365, 1366, 1411, 1690}


def _url(url: sa.URL, _name: str, _where: str) -> sa.URL:
    known = {"charset": "utf8mb4", "connect_timeout": "10"}
    return url.set(drivername="mysql+pymysql").update_query_dict(known | dict(url.query))


def _told(connection: sa.Connection, statement: Statement) -> tuple[Statement, frozenset[str]]:
    """Have each FLOAT sent as a DOUBLE, which has all its digits: of a FLOAT's own the server writes six.

    What is wrong with the statement, or with having it in brackets, is told when it is run.
    """
    try:
        with closing(connection.execute(selected(statement).limit(0))) as result:
            names = list(result.keys())
            floats = frozenset(field.name for field in _fields(result) if field.type_code == _FLOAT)
    except exc.DBAPIError:
        return statement, frozenset()
    if not floats or len(set(names)) < len(names):
        return statement, frozenset()
    columns: list[sa.ColumnElement[Any]] = [
        (sa.column(name) + sa.literal_column("0e0")).label(name) if name in floats else sa.column(name)
        for name in names
    ]
    return sa.select(*columns).select_from(inner(statement)), floats


def _fields(result: sa.CursorResult[Any]) -> list[Any]:
    fields: list[Any] = result.cursor._result.fields  # noqa: SLF001 - the description has no sign
    return fields


def _columns(result: sa.CursorResult[Any], floats: frozenset[str], _first: First) -> Columns:
    return [(pa.float32(), same) if field.name in floats else _column(field) for field in _fields(result)]


def _column(field: Any) -> tuple[pa.DataType, Plain]:  # noqa: ANN401 - PyMySQL's description of a column
    code, unsigned = field.type_code, bool(field.flags & _UNSIGNED)
    if code in _INTEGERS or code == _BIGINT:
        return (_LONG if code == _BIGINT and unsigned else _INTEGERS.get(code, pa.int64())), same
    if code in _OTHERS:
        return _OTHERS[code], _PLAIN.get(code, same)
    if code == _BIT:
        return (pa.int64() if field.length < 64 else _LONG), _bits  # noqa: PLR2004 - a sign's bit
    if code in _DECIMALS:
        # The length counts the sign and the point, too.
        digits = field.length - (0 if unsigned else 1) - (1 if field.scale else 0)
        return decimal(digits, field.scale), same
    if code == _GEOMETRY or (code in _BLOBS and field.charsetnr == _BINARY):
        return pa.binary(), same
    return pa.string(), _text


def _short(value: float) -> float:
    raise ValueError(f"'{value}' may lack digits")


def _bits(value: bytes) -> int:
    return int.from_bytes(value)


def _time(value: Any) -> Any:  # noqa: ANN401 - a date or a time, or the text of one that no calendar has
    if isinstance(value, str):
        raise ValueError(f"'{value}' is in no calendar")  # noqa: TRY004 - the value is wrong
    return value


def _instant(value: Any) -> Any:  # noqa: ANN401 - as above
    return _time(value).replace(tzinfo=UTC)


def _text(value: Any) -> str:  # noqa: ANN401 - text, or bytes of a binary charset
    return value if isinstance(value, str) else value.decode()


_PLAIN: dict[int, Plain] = {_FLOAT: _short, 7: _instant, 10: _time, 12: _time}


def _fault(error: exc.DBAPIError) -> tuple[type[StageError], str]:
    code, *message = error.orig.args if error.orig and error.orig.args else (0, str(error.orig))
    told = str(message[0] if message else code)
    if code in _PASSING:
        return Unavailable, told
    return (DataError if code in _DATA else SpecError), told


MYSQL = Kind(
    url=_url,
    begin=("set time_zone = '+00:00'", "start transaction with consistent snapshot, read only"),
    told=_told,
    columns=_columns,
    fault=_fault,
)
