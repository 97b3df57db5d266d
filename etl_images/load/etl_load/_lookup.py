"""Looks a table of the warehouse up as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

_TABLE = sa.text("""
    select c.oid, c.relkind in ('r', 'p') as is_table, pg_get_userbyid(c.relowner) as owner,
           pg_has_role(c.relowner, 'usage') as is_ours, obj_description(c.oid, 'pg_class') as comment
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = :schema and c.relname = :name
""")
_COLUMNS = sa.text("""
    select attname, format_type(atttypid, atttypmod) as type, attnotnull as needed,
           col_description(attrelid, attnum) as comment, atthasdef or attidentity <> '' as given,
           attidentity = 'a' or attgenerated <> '' as always
    from pg_attribute where attrelid = :oid and attnum > 0 and not attisdropped order by attnum
""")
_INDEXES = sa.text(r"""
    select i.indisunique as is_unique, array_agg(a.attname::text order by k.place) as columns
    from pg_index i
    cross join unnest(i.indkey\:\:int2[]) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = :oid and i.indisvalid and i.indpred is null and i.indexprs is null and k.place <= i.indnkeyatts
    group by i.indexrelid, i.indisunique
""")
_VIEWS = sa.text("""
    select a.attname as column, array_agg(distinct r.ev_class::regclass::text) as views
    from pg_depend d
    join pg_rewrite r on r.oid = d.objid
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
      and d.refobjid = :oid and r.ev_class <> d.refobjid
    group by a.attname
""")


@dataclass(frozen=True)
class Existing:
    """A table of the warehouse as it is.

    Attributes:
        types: the columns' types, as PostgreSQL writes them.
        needed: the columns that must have a value.
        given: the columns that get one by themselves.
        always: the columns to which nobody can give one.
        indexes: the columns of each whole index, in its order.
        unique: the columns of those that are unique.
        comments: what is said of the table, under None, and of its columns.
        views: the views that use a column.
    """

    types: Mapping[str, str]
    needed: frozenset[str]
    given: frozenset[str]
    always: frozenset[str]
    indexes: frozenset[tuple[str, ...]]
    unique: frozenset[frozenset[str]]
    comments: Mapping[str | None, str | None]
    views: Mapping[str, tuple[str, ...]]
    owner: str
    is_ours: bool
    is_table: bool


def existing(connection: sa.Connection, table: str) -> Existing | None:
    """Look a table up; None where it is not there."""
    schema, _, name = table.partition(".")
    found = connection.execute(_TABLE, {"schema": schema, "name": name}).one_or_none()
    if found is None:
        return None
    oid = {"oid": found.oid}
    columns = connection.execute(_COLUMNS, oid).all()
    indexes = connection.execute(_INDEXES, oid).all()
    return Existing(
        types={column.attname: column.type for column in columns},
        needed=frozenset(column.attname for column in columns if column.needed),
        given=frozenset(column.attname for column in columns if column.given),
        always=frozenset(column.attname for column in columns if column.always),
        indexes=frozenset(tuple(index.columns) for index in indexes),
        unique=frozenset(frozenset(index.columns) for index in indexes if index.is_unique),
        comments={None: found.comment, **{column.attname: column.comment for column in columns}},
        views={row.column: tuple(row.views) for row in connection.execute(_VIEWS, oid)},
        owner=found.owner,
        is_ours=found.is_ours,
        is_table=found.is_table,
    )
