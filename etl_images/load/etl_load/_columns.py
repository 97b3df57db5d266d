"""Maps Arrow's types to PostgreSQL's, so that no value changes on its way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from etl_contract import SpecError, StageError
from etl_load import _cells
from etl_load._cells import Encoder

_DIALECT: sa.Dialect = pg.dialect()
_MOST_COLUMNS = 1600
_MOST_BYTES_OF_NAME = 63

_DAYS_TO_2000 = 10_957
_MICROSECONDS_TO_2000 = _DAYS_TO_2000 * 86_400 * 1_000_000


class Kind(NamedTuple):
    """A type of PostgreSQL, how values become its cells, and its number (0 where arrays of it are not made)."""

    sql: sa.types.TypeEngine[Any]
    encode: Encoder
    oid: int = 0


class Column(NamedTuple):
    """A column of a dataset on its way into a table.

    One that holds nothing but missing values (Arrow's `null`) has no kind: it is whatever the table says.
    """

    name: str
    kind: Kind | None


def type_name(sql: sa.types.TypeEngine[Any]) -> str:
    """Write a type as PostgreSQL's `format_type` does."""
    return str(sql.compile(dialect=_DIALECT)).lower().replace(", ", ",")


BOOLEAN = Kind(sa.Boolean(), _cells.number(pa.uint8()), 16)
_SMALLINT = Kind(sa.SmallInteger(), _cells.number(pa.int16()), 21)
_INTEGER = Kind(sa.Integer(), _cells.number(pa.int32()), 23)
_BIGINT = Kind(sa.BigInteger(), _cells.number(pa.int64()), 20)
_REAL = Kind(pg.REAL(), _cells.number(pa.float32()), 700)
_DOUBLE = Kind(pg.DOUBLE_PRECISION(), _cells.number(pa.float64()), 701)
_TEXT = Kind(sa.Text(), _cells.text, 25)
_BYTEA = Kind(pg.BYTEA(), _cells.binary, 17)
_DATE = Kind(sa.Date(), _cells.since(pa.date32(), pa.int32(), _DAYS_TO_2000), 1082)
_TIME = Kind(pg.TIME(), _cells.since(pa.time64("us"), pa.int64(), 0), 1083)
_INTERVAL = Kind(pg.INTERVAL(), _cells.duration, 1186)
UUID = Kind(sa.Uuid(), _cells.binary, 2950)
_JSONB = Kind(pg.JSONB(), _cells.jsonb)
_JSON_TEXT = Kind(pg.JSONB(), _cells.json_text)

NUMBERS = {type_name(kind.sql): kind for kind in (_SMALLINT, _INTEGER, _BIGINT, _REAL, _DOUBLE)}

_BY_TYPE = {
    pa.bool_(): BOOLEAN,
    pa.int8(): _SMALLINT,
    pa.int16(): _SMALLINT,
    pa.int32(): _INTEGER,
    pa.int64(): _BIGINT,
    pa.uint8(): _SMALLINT,
    pa.uint16(): _INTEGER,
    pa.uint32(): _BIGINT,
    pa.float16(): _REAL,
    pa.float32(): _REAL,
    pa.float64(): _DOUBLE,
    pa.string(): _TEXT,
    pa.large_string(): _TEXT,
    pa.string_view(): _TEXT,
    pa.binary(): _BYTEA,
    pa.large_binary(): _BYTEA,
    pa.binary_view(): _BYTEA,
    pa.date32(): _DATE,
    pa.date64(): _DATE,
}


class SqlType(sa.types.UserDefinedType[Any]):
    """A type by its name in PostgreSQL."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
        """Write it."""
        return self.name


def kind_of(arrow: pa.DataType) -> Kind | None:
    """Give the kind of a column, or None where PostgreSQL has no such type."""
    if arrow in _BY_TYPE:
        return _BY_TYPE[arrow]
    return next((kind(arrow) for belongs, kind in _FAMILIES if belongs(arrow)), None)


def columns_of(schema: pa.Schema, where: str) -> tuple[list[Column], list[StageError]]:
    """Give the columns of a dataset, and what is wrong with those that no table can have."""
    problems = list(_name_problems(schema.names, where))
    columns: list[Column] = []
    for field in schema:
        kind = kind_of(field.type)
        if kind is None and not pa.types.is_null(field.type):
            hint = "Convert it in the transform to a type that PostgreSQL has, such as text."
            problems.append(SpecError(f"column '{field.name}' is of type {field.type}", where=where, hint=hint))
        else:
            columns.append(Column(field.name, kind))
    return columns, problems


TIMESTAMPTZ = Kind(
    pg.TIMESTAMP(timezone=True), _cells.since(pa.timestamp("us", "UTC"), pa.int64(), _MICROSECONDS_TO_2000)
)


def _timestamp(arrow: pa.DataType) -> Kind:
    counted = _cells.since(pa.timestamp("us", arrow.tz), pa.int64(), _MICROSECONDS_TO_2000)
    return Kind(pg.TIMESTAMP(timezone=arrow.tz is not None), counted, 1184 if arrow.tz else 1114)


def _numeric(precision: int, scale: int) -> Kind:
    return Kind(sa.Numeric(precision, scale), _cells.decimal(scale), 1700)


def _list(arrow: pa.DataType) -> Kind | None:
    element = kind_of(arrow.value_type)
    if element is None or not element.oid:
        return element and _JSONB
    return Kind(pg.ARRAY(element.sql), _cells.array_of(element.encode, element.oid))


def _extension(arrow: pa.DataType) -> Kind | None:
    named = {"arrow.uuid": UUID, "arrow.json": _JSON_TEXT}
    return _through(named.get(arrow.extension_name) or kind_of(arrow.storage_type), lambda values: values.storage)


def _through(kind: Kind | None, change: Callable[[pa.Array], pa.Array]) -> Kind | None:
    return kind and kind._replace(encode=lambda values: kind.encode(change(values)))


# What has parameters: how it is recognised, and its kind.
_FAMILIES: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], Kind | None]]] = (
    (lambda arrow: isinstance(arrow, pa.BaseExtensionType), _extension),
    (
        pa.types.is_dictionary,
        lambda arrow: _through(kind_of(arrow.value_type), lambda values: values.dictionary_decode()),
    ),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_time, lambda _: _TIME),
    (pa.types.is_duration, lambda _: _INTERVAL),
    (pa.types.is_fixed_size_binary, lambda _: _BYTEA),
    (pa.types.is_uint64, lambda _: _through(_numeric(20, 0), lambda values: values.cast(pa.decimal128(20, 0)))),
    (pa.types.is_decimal, lambda arrow: _numeric(arrow.precision, arrow.scale)),
    (pa.types.is_struct, lambda _: _JSONB),
    (pa.types.is_map, lambda _: _JSONB),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
    (pa.types.is_fixed_size_list, _list),
)


def _name_problems(names: list[str], where: str) -> Iterator[StageError]:
    if len(names) > _MOST_COLUMNS:
        yield SpecError(f"{len(names)} columns; a table has at most {_MOST_COLUMNS}", where=where)
    for name in sorted(name for name, count in Counter(names).items() if count > 1):
        yield SpecError(f"two columns are named '{name}'", where=where, hint="Rename one of them in the transform.")
    for name in names:
        if not name or "\0" in name or len(name.encode()) > _MOST_BYTES_OF_NAME:
            hint = f"Rename it in the transform, to 1 to {_MOST_BYTES_OF_NAME} bytes."
            yield SpecError(f"{name!r} cannot name a column", where=where, hint=hint)
