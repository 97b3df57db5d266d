"""Encodes a dataset's columns as a table's types have them, where those are wider than the dataset's."""

from collections.abc import Mapping

import pyarrow as pa
import sqlalchemy as sa

from etl_load import _cells
from etl_load._cells import Encoder
from etl_load._columns import NUMBERS, Kind, type_name
from etl_load._job import Job
from etl_load._lookup import existing

_INTEGERS = ("smallint", "integer", "bigint")


def encoders(connection: sa.Connection, job: Job, table: sa.Table) -> Mapping[str, Encoder]:
    """Give for each column how its values become cells of the table as it is; every type that fits has a way."""
    found = existing(connection, f"{table.schema}.{table.name}")
    return {column.name: _encoder(column.kind, found.types[column.name] if found else "") for column in job.columns}


def _encoder(kind: Kind | None, theirs: str) -> Encoder:
    if kind is None:
        return _cells.nothing
    ours = type_name(kind.sql)
    if theirs in NUMBERS:
        return NUMBERS[theirs].encode
    if theirs.startswith("numeric") and ours in _INTEGERS:
        digits = _cells.decimal(0)
        return lambda values: digits(values.cast(pa.decimal128(19, 0)))
    return kind.encode
