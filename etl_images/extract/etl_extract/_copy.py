"""Streams a query's rows out of PostgreSQL by COPY, decoding them in a thread beside the one that writes.

    server ── COPY ... TO STDOUT (format csv) ──► chunks of whole rows ──► pyarrow.csv ──► batches, two ahead

Why: docs/decisions/extract-by-copy.md
"""

import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
from psycopg.errors import error_from_result
from psycopg.postgres import types
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from etl_extract._texts import MARK, decoded

_CHUNK_BYTES = 1 << 20
_CHUNKS_AHEAD = 2
# What a database, a role or a server may have set otherwise, and text depends on.
_SETTINGS = ("bytea_output to 'hex'", "datestyle to 'ISO'", "extra_float_digits to 1", "intervalstyle to 'postgres'")
_NUMERICS = {types["numeric"].oid, types["numeric"].array_oid}

Parameters = Mapping[str, Any]


class Described(NamedTuple):
    """A column of a result, in the words of psycopg's own description of one."""

    name: str
    type_code: int
    precision: int | None
    scale: int | None


def bound(connection: psycopg.Connection[Any], query: str, parameters: Parameters) -> str:
    """Write the parameters into the query as quoted literals: COPY takes none beside it."""
    return psycopg.ClientCursor(connection).mogrify(query.encode(), parameters)


def described(connection: psycopg.Connection[Any], query: str) -> list[Described]:
    """Ask for the columns of a query; nothing runs, and what is not one statement is refused."""
    pgconn, encoding = connection.pgconn, connection.info.encoding
    result = pgconn.prepare(b"", query.encode())
    if result.status == ExecStatus.COMMAND_OK:
        result = pgconn.describe_prepared(b"")
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result, encoding)
    return [_column(result, index, encoding) for index in range(result.nfields)]


def _column(result: PGresult, index: int, encoding: str) -> Described:
    """Take a numeric's digits, or those of an array of them, from its modifier: https://www.postgresql.org/docs/17/datatype-numeric.html."""
    oid, modifier = result.ftype(index), result.fmod(index)
    precision = scale = None
    if oid in _NUMERICS and modifier >= 0:
        precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4 & 0x7FF) ^ 0x400) - 0x400
        # numeric(2,-3) has up to five digits before the point, numeric(3,5) five after it.
        precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
    return Described((result.fname(index) or b"").decode(encoding), oid, precision, scale)


def copied(connection: psycopg.Connection[Any], query: str, schema: pa.Schema, where: str) -> Generator[pa.RecordBatch]:
    """Read a query that was described before, so that it is one statement; its parameters stand in it.

    Raises:
        DataError: a value does not fit the column's type.
    """
    for setting in _SETTINGS:
        connection.execute(f"set local {setting}".encode())
    statement = f"copy (\n{query.rstrip().rstrip(';')}\n) to stdout (format csv)"
    with closing(_Ahead(connection, statement, schema, where)) as ahead:
        yield from ahead.batches()


class _Ahead:
    """Receives and decodes in a thread, never more than a few chunks before they are asked for."""

    def __init__(self, connection: psycopg.Connection[Any], statement: str, schema: pa.Schema, where: str) -> None:
        self._connection = connection
        self._statement = statement
        self._schema = schema
        self._where = where
        self._queue: queue.Queue[pa.Table | BaseException | None] = queue.Queue(_CHUNKS_AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)
        self._thread.start()

    def batches(self) -> Iterator[pa.RecordBatch]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield from item.to_batches()

    def close(self) -> None:
        """Stop the server's work if there is any left, so that the connection is free for the next query."""
        self._stopped.set()
        while self._thread.is_alive():
            self._thread.join(0.05)
            while not self._queue.empty():
                self._queue.get_nowait()

    def _run(self) -> None:
        try:
            for chunk in self._chunks():
                self._queue.put(decoded(chunk, self._schema, self._where))
            self._queue.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the batches are asked for
            self._queue.put(error)

    def _chunks(self) -> Iterator[bytes]:
        """Give whole rows after a mark, as PostgreSQL sends each in a message of its own.

        Libpq is asked directly: psycopg's own way of reading costs more for each row than the server's sending it.
        """
        pgconn = self._connection.pgconn
        started = pgconn.exec_(self._statement.encode())
        if started.status != ExecStatus.COPY_OUT:
            raise error_from_result(started, self._connection.info.encoding)
        rows, size = [MARK], 0
        finished = False
        try:
            while not self._stopped.is_set():
                count, row = pgconn.get_copy_data(0)
                if finished := count < 0:
                    break
                rows.append(bytes(row))
                size += count
                if size >= _CHUNK_BYTES:
                    yield b"".join(rows)
                    rows, size = [MARK], 0
        finally:
            results = self._results(finished=finished)
        for result in results:
            if finished and result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, self._connection.info.encoding)
        if finished and size:
            yield b"".join(rows)

    def _results(self, *, finished: bool) -> list[PGresult]:
        """Take all that the server has to say, or the connection stays busy; what is not finished is cancelled."""
        pgconn = self._connection.pgconn
        if not finished:
            self._connection.cancel_safe(timeout=10)
            while pgconn.get_copy_data(0)[0] > 0:
                pass
        return list(iter(pgconn.get_result, None))
