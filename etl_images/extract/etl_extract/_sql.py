"""Reads tables and queries through SQLAlchemy, streaming, with the interval bound as parameters."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import DataError, Interval, SpecError, SqlSource, Unavailable
from etl_contract.parquet import BATCH_ROWS
from etl_extract._types import arrow_schema, plain

if TYPE_CHECKING:
    from psycopg import Column

CONNECTIONS = Path("/run/secrets/connections")


class Rows(NamedTuple):
    """Rows on their way: their Arrow schema, and the batches, which are read as they are asked for."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class SqlReader(AbstractContextManager["SqlReader"]):
    """Reads all sources of one connection in one read-only snapshot, so that they agree with each other."""

    def __init__(self, interval: Interval, connections: Path = CONNECTIONS) -> None:
        self._interval = interval
        self._folder = connections
        self._open: dict[str, sa.Connection] = {}
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
        where = f"extract.{name}"
        with _explaining(where, has_query=source.query is not None):
            connection = self._connection(source.sql, where)
            with connection.begin_nested():
                statement = self._statement(source, where).execution_options(yield_per=BATCH_ROWS)
                with closing(connection.execute(statement)) as result:
                    schema = arrow_schema(cast("Sequence[Column]", result.cursor.description), where)
                    yield Rows(schema, _batches(result, schema, where))

    def _connection(self, name: str, where: str) -> sa.Connection:
        if name not in self._open:
            engine = sa.create_engine(connection_url(name, self._folder, where), poolclass=sa.NullPool)
            connection = self._exit.enter_context(engine.connect())
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execute(sa.text("set timezone to 'UTC'"))
            self._open[name] = connection
        return self._open[name]

    def _statement(self, source: SqlSource, where: str) -> sa.Executable:
        if source.table is not None:
            schema, _, table = source.table.rpartition(".")
            return sa.select(sa.literal_column("*")).select_from(sa.table(table, schema=schema or None))
        statement = sa.text(str(source.query))
        known = {"start": self._interval.start, "end": self._interval.end}
        named = set(statement.compile().params)
        if unknown := sorted(named - set(known)):
            hint = "Use :start and :end; write a colon that is none as \\:."
            raise SpecError(f"no value for :{', :'.join(unknown)}", where=f"{where}.query", hint=hint)
        return statement.bindparams(*(sa.bindparam(k, known[k], sa.DateTime(timezone=True)) for k in sorted(named)))


def connection_url(name: str, folder: Path, where: str) -> sa.URL:
    """Read a connection's URI from its secret file."""
    try:
        url = sa.make_url((folder / name / "uri").read_text().strip())
    except FileNotFoundError:
        hint = "Name one that is there, such as 'source' or 'warehouse'."
        raise SpecError(f"there is no connection '{name}'", where=where, hint=hint) from None
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg").update_query_dict(
            {"application_name": "etl extract", "connect_timeout": "10"}
        )
    raise SpecError(f"connection '{name}' is of kind '{url.drivername}'", where=where, hint="Use postgresql://.")


def _batches(result: sa.CursorResult[Any], schema: pa.Schema, where: str) -> Iterator[pa.RecordBatch]:
    for rows in result.partitions(BATCH_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [_array(values, field, where) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: tuple[Any, ...], field: pa.Field, where: str) -> pa.Array:
    try:
        return pa.array(plain(values, field.type), type=field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        hint = "Cast the column in a query to a type that holds all its values."
        raise DataError(
            f"a value is no {field.type}: {error}", where=f"{where}, column {field.name}", hint=hint
        ) from error


@contextmanager
def _explaining(where: str, *, has_query: bool) -> Iterator[None]:
    """Turn a driver's error into one that says what should happen next."""
    try:
        yield
    except (exc.OperationalError, exc.InternalError) as error:
        message = str(error.orig).strip().partition("\n")[0]
        raise Unavailable(message, where=where, hint="It is tried again; is the server up?") from error
    except exc.DBAPIError as error:
        message, line = _complaint(error)
        if has_query:
            raise SpecError(message, where=f"{where}.query{line}", hint="Correct the query.") from error
        raise SpecError(message, where=f"{where}.table", hint="Correct the table's name.") from error


def _complaint(error: exc.DBAPIError) -> tuple[str, str]:
    """Give PostgreSQL's message, and the line of the query that it points to."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None or diagnosis.message_primary is None:
        return str(error.orig).strip(), ""
    message = ". ".join(filter(None, (diagnosis.message_primary, diagnosis.message_hint)))
    if diagnosis.statement_position is None or error.statement is None:
        return message, ""
    # A server-side cursor puts its own words before ours, on the first line only.
    offset = int(diagnosis.statement_position) - 1
    return message, f", line {error.statement.count('\n', 0, offset) + 1}"
