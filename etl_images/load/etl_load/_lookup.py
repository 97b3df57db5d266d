"""Looks a table of the warehouse up as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

_COLUMNS = sa.text("""
    select a.attname, format_type(a.atttypid, a.atttypmod) as type,
           a.attnotnull and not a.atthasdef and a.attidentity = '' as required, c.relkind
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = :schema and c.relname = :name
    order by a.attnum
""")
_UNIQUE = sa.text(r"""
    select array_agg(a.attname::text order by a.attname)
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey[0\:i.indnkeyatts - 1])
    where n.nspname = :schema and c.relname = :name
      and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    group by i.indexrelid
""")


@dataclass(frozen=True)
class Existing:
    """A table of the warehouse as it is: its columns' types, what must have a value, and what is unique."""

    types: Mapping[str, str]
    required: frozenset[str]
    unique: frozenset[frozenset[str]]
    is_table: bool


def existing(connection: sa.Connection, table: str) -> Existing | None:
    """Look a table up; None where it is not there."""
    schema, _, name = table.partition(".")
    place = {"schema": schema, "name": name}
    columns = connection.execute(_COLUMNS, place).all()
    if not columns:
        return None
    columns = [column for column in columns if column.attname is not None]
    return Existing(
        types={column.attname: column.type for column in columns},
        required=frozenset(column.attname for column in columns if column.required),
        unique=frozenset(frozenset(names) for names in connection.execute(_UNIQUE, place).scalars()),
        is_table=all(column.relkind in {"r", "p"} for column in columns),
    )
