"""Reads tables and queries, each connection in one snapshot, with the interval and parameters bound by name."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
import structlog
from sqlalchemy import exc

from etl_contract import ExtractTask, SpecError, SqlSource
from etl_extract._connection import CONNECTIONS, connection_uri
from etl_extract._cursor import Cursor, bound
from etl_extract._database import Database, Statement, inner, selected
from etl_extract._rows import Rows
from etl_extract._times import by_time

_END = re.compile(r";(?:[\s;]|--[^\n]*(?:\n|\Z))*\Z")  # a semicolon, and nothing but remarks after it

log = structlog.get_logger()


class SqlReader(AbstractContextManager["SqlReader"]):
    """Reads all sources of one connection in one read-only snapshot, so that they agree with each other."""

    def __init__(self, task: ExtractTask, connections: Path = CONNECTIONS) -> None:
        self._task = task
        self._folder = connections
        self._open: dict[str, Database] = {}
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @contextmanager
    def rows(self, name: str, source: SqlSource) -> Iterator[Rows]:
        """Run a source's query.

        Raises:
            SpecError: the connection, a table or a column is not there, or the SQL is wrong.
            Unavailable: the server does not answer.
            DataError: a value does not fit the column's type.
        """
        where = f"extract.{name}.{'table' if source.query is None else 'query'}"
        database = self._database(source.sql, where)
        statement = self._statement(source, f"extract.{name}", database.dialect)
        if self._task.sample is not None:
            statement = selected(statement).limit(self._task.sample)
        if source.cursor is None:
            with database.rows(statement, where) as rows:
                yield rows
            return
        cursor = self._cursor(name, source, database, statement, where)
        with database.rows(selected(statement).where(cursor.condition(database.dialect)), where) as rows:
            yield rows._replace(batches=cursor.watch(rows.batches), watermarks=cursor.watermarks)

    def _cursor(self, name: str, source: SqlSource, database: Database, statement: Statement, where: str) -> Cursor:
        from etl_extract._ledger import watermarks  # noqa: PLC0415 - most sources follow no cursor

        stored = watermarks(self._task.pipeline, name, self._folder).get(str(source.cursor))
        anew = self._task.full_refresh
        cursor = Cursor(name, source, database.schema(statement, where), stored, anew=anew)
        count = sa.select(sa.func.count().label("rows")).select_from(inner(statement)).where(cursor.missing())
        with database.rows(count, where) as rows:
            unordered = sum(batch.column(0)[0].as_py() for batch in rows.batches)
        if unordered:
            log.warning(
                f"{name}: rows without a value in the cursor are not read", column=source.cursor, rows=unordered
            )
        after = "the beginning" if stored is None or anew else stored
        log.info(f"{name}: reading what is {'there' if anew else 'new'}", cursor=source.cursor, after=after)
        return cursor

    def _database(self, name: str, where: str) -> Database:
        if name not in self._open:
            place = where.rpartition(".")[0]
            try:
                url = sa.make_url(connection_uri(name, place, self._folder))
            except exc.ArgumentError:
                hint = "Its file 'uri' is an address such as postgresql://user:password@host/database."
                raise SpecError(f"the address of connection '{name}' is none", where=place, hint=hint) from None
            self._open[name] = self._exit.enter_context(_opened(name, url, place))
        return self._open[name]

    def _statement(self, source: SqlSource, where: str, dialect: str) -> Statement:
        if source.table is None:
            query = _END.sub("", str(source.query)) + "\n"  # what comes after it is no part of a remark
            return self._bound(query, f"{where}.query", dialect)
        schema, _, table = source.table.rpartition(".")
        columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in source.columns]
        columns = columns or [sa.literal_column("*")]
        statement = sa.select(*columns).select_from(sa.table(table, schema=schema or None))
        if source.where is None:
            return statement
        # On lines of its own, so that a remark at its end stays one.
        return statement.where(self._bound(f"(\n{source.where}\n)", f"{where}.where", dialect))

    def _bound(self, text: str, where: str, dialect: str) -> sa.TextClause:
        """Bind what a text of the author's asks for."""
        known = self._task.values
        times = [name for name, value in known.items() if isinstance(value, date)] if dialect == "sqlite" else []
        statement = sa.text(by_time(text, times))
        named = set(statement.compile().params)
        if unknown := sorted(named - set(known)):
            hint = f"Use {', '.join(f':{name}' for name in known)}; write a colon that is none as \\:."
            raise SpecError(f"no value for :{', :'.join(unknown)}", where=where, hint=hint)
        return statement.bindparams(*(bound(name, known[name], dialect) for name in sorted(named)))


def _opened(name: str, url: sa.URL, where: str) -> AbstractContextManager[Database]:
    """Connect, by what reads databases of the kind; one kind is enough to import."""
    if url.get_backend_name() in {"postgresql", "postgres"}:
        from etl_extract import _postgres  # noqa: PLC0415

        return _postgres.opened(url, where)
    from etl_extract import _dialects  # noqa: PLC0415

    return _dialects.opened(name, url, where)
