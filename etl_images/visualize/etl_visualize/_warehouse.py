"""Reads the warehouse: every chart's rows from one read-only snapshot, with the interval bound as parameters."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import SpecError, StageTask, Unavailable, Value
from etl_visualize._table import Table, as_table

URI_FILE = Path("/run/secrets/warehouse/uri")
MOST_REASONS = 100
MOST_TRIES = 100
MOST_ROWS = 20_000  # drawing so many takes some seconds, and 300 MB
STATEMENT_SECONDS = 60

_TYPES: dict[type, sa.types.TypeEngine[Any]] = {datetime: sa.DateTime(timezone=True), int: sa.BigInteger()}
_DECLARE = "declare chart no scroll cursor for "
_REASONS = """select dataset, rule, column_name as "column", count(*) as rows from quarantine.rows
where pipeline = :pipeline and run_id = :run_id group by 1, 2, 3 order by 4 desc, 1, 2, 3"""
_FAILED_TRIES = """select stage, try_number as try, state, error, seconds, peak_memory from etl.stage_runs
where pipeline = :pipeline and run_id = :run_id and state not in ('success', 'skipped')
order by started_at, stage, try"""
_TIMED_OUT = "57014"
# What another try may not meet: a lost connection, a lack of resources, an operator's doing, a fault of the server.
_PASSING = ("08", "40", "53", "55", "57", "58", "XX")


class Warehouse(Protocol):
    """Whatever gives a chart its rows."""

    def rows(self, sql: str, where: str, *, before: bool = False) -> Table:
        """Run a query, about this interval or the one before; `where` names what it is for in errors."""

    def first(self, sql: str, where: str, count: int) -> Table:
        """Run a query, and take its first rows."""

    def reasons(self) -> Table:
        """Say why rows of the run were set aside: dataset, rule, column and rows, the most frequent reason first."""

    def failed_tries(self) -> Table:
        """Give the run's tries that failed: stage, try, state, error, seconds and peak_memory, in their order."""


class PostgresWarehouse:
    """A snapshot of the warehouse: what one chart sees, all see."""

    def __init__(self, connection: sa.Connection, task: StageTask) -> None:
        self._connection = connection
        self._task = task

    def rows(self, sql: str, where: str, *, before: bool = False) -> Table:
        """Run a query, and take all of its rows, or none where they are more than MOST_ROWS.

        Raises:
            SpecError: the SQL is wrong, or takes too long.
            Unavailable: the server does not answer.
        """
        table = self._fetched(sql, where, self._task.before if before else self._task, MOST_ROWS)
        return Table({}, [], more=True) if table.more else table

    def first(self, sql: str, where: str, count: int) -> Table:
        """Run a query, and take its first rows; `more` says whether there were others.

        Raises:
            SpecError: the SQL is wrong, or takes too long.
            Unavailable: the server does not answer.
        """
        return self._fetched(sql, where, self._task, count)

    def reasons(self) -> Table:
        """Say why rows of the run were set aside: dataset, rule, column and rows, the most frequent reason first.

        Raises:
            Unavailable: the server does not answer.
        """
        return self._fetched(_REASONS, "reasons of quarantine", self._task, MOST_REASONS, self._run)

    def failed_tries(self) -> Table:
        """Give the run's tries that failed: stage, try, state, error, seconds and peak_memory, in their order.

        Raises:
            Unavailable: the server does not answer.
        """
        return self._fetched(_FAILED_TRIES, "failed tries", self._task, MOST_TRIES, self._run)

    @property
    def _run(self) -> dict[str, Value]:
        return {"pipeline": self._task.pipeline, "run_id": self._task.run_id}

    def _fetched(
        self, sql: str, where: str, task: StageTask, count: int, known: Mapping[str, Value] | None = None
    ) -> Table:
        statement = _statement(sql, where, known or task.values)
        # A cursor, because a driver would hold every row of a careless query before we see the first.
        with _explaining(sql, where), self._connection.begin_nested() as savepoint:
            self._connection.execute(statement)
            result = self._connection.execute(sa.text(f"fetch {count + 1} from chart"))
            names, rows = list(result.keys()), result.all()
            savepoint.rollback()  # closes the cursor
        table = as_table(names, rows[:count], task.interval.timezone, where)
        return table._replace(more=len(rows) > count)


def _statement(sql: str, where: str, known: Mapping[str, Value]) -> sa.TextClause:
    """Bind the interval and the parameters to a query."""
    statement = sa.text(_DECLARE + sql)
    named = set(statement.compile().params)
    if unknown := sorted(named - set(known)):
        hint = f"Use :{', :'.join(known)}; write a colon that is none as \\:."
        raise SpecError(f"no value for :{', :'.join(unknown)}", where=f"{where}, its sql", hint=hint)
    return statement.bindparams(*(sa.bindparam(name, known[name], _TYPES.get(type(known[name]))) for name in named))


@contextmanager
def open_warehouse(task: StageTask, uri_file: Path = URI_FILE) -> Iterator[PostgresWarehouse]:
    """Connect as the read-only role; the session's clock shows the pipeline's time zone.

    Raises:
        Unavailable: the server does not answer, or the address is not there.
    """
    # Prepared from the first time on: the server then takes one statement, and no second one after a semicolon.
    options = {"prepare_threshold": 0}
    engine = sa.create_engine(_url(uri_file), poolclass=sa.NullPool, use_native_hstore=False, connect_args=options)
    with _connected(engine) as connection:
        settings = {"statement_timeout": f"{STATEMENT_SECONDS}s", "timezone": task.interval.timezone}
        for name, value in settings.items():
            connection.execute(sa.select(sa.func.set_config(name, value, True)))  # noqa: FBT003 - SQL's own: this transaction
        yield PostgresWarehouse(connection, task)


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except exc.OperationalError as error:
        message = " ".join(str(error.orig).split())
        where = f"warehouse at {engine.url.host}:{engine.url.port or 5432}"
        raise Unavailable(message, where=where, hint="It is tried again; is the server up?") from error
    with connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True):
        yield connection


def _url(uri_file: Path) -> sa.URL:
    try:
        url = sa.make_url(uri_file.read_text().strip())
    except FileNotFoundError:
        hint = "Is the volume of secrets mounted, and did the service 'secrets' end well?"
        raise Unavailable("the warehouse's address is not there", where=str(uri_file), hint=hint) from None
    return url.set(drivername="postgresql+psycopg").update_query_dict(
        {"application_name": "etl visualize", "connect_timeout": "10"}
    )


@contextmanager
def _explaining(sql: str, where: str) -> Iterator[None]:
    """Turn a driver's error into one that says what should happen next."""
    try:
        yield
    except exc.DBAPIError as error:
        diagnosis = getattr(error.orig, "diag", None)
        state = getattr(error.orig, "sqlstate", None)
        message = (diagnosis and diagnosis.message_primary) or " ".join(str(error.orig).split())
        if state == _TIMED_OUT:
            hint = "Aggregate less at once, or add an index."
            raise SpecError(f"takes longer than {STATEMENT_SECONDS} s", where=f"{where}, its sql", hint=hint) from error
        if (state is None and error.connection_invalidated) or (state or "").startswith(_PASSING):
            raise Unavailable(message, where=where, hint="It is tried again; is the server up?") from error
        hint = (diagnosis and diagnosis.message_hint) or "Correct the query."
        raise SpecError(f"{message}.", where=f"{where}, {_place(sql, error)}", hint=hint) from error


def _place(sql: str, error: exc.DBAPIError) -> str:
    """Point at the line of the author's text that PostgreSQL complains about."""
    position = getattr(getattr(error.orig, "diag", None), "statement_position", None)
    if position is None or error.statement is None:
        return "its sql"
    before = _as_sent(error.statement)[: int(position) - 1]
    number = before.count("\n")
    return f"line {number + 1} of its sql ({sql.splitlines()[number].strip()})"


def _as_sent(statement: str) -> str:
    """Give a statement as the server got it, which is what positions count in."""
    numbers: dict[str, int] = {}

    def dollar(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(match[1], len(numbers) + 1)}" if match[1] else "%"

    return re.sub(r"%(?:\((\w+)\)s|%)", dollar, statement)
