"""Streams a query's rows out of PostgreSQL by COPY, decoding them in a thread beside the one that writes.

    server ── COPY ... TO STDOUT (format csv) ──► chunks of whole rows ──► pyarrow.csv ──► batches, two ahead

The text that PostgreSQL writes is read back exactly by the Arrow type of each column, and what Arrow has no type for
(json, intervals, enums, ranges, ...) stays that very text. Why: docs/decisions/extract-by-copy.md
"""

import queue
import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.csv as pc
from psycopg.errors import error_from_result
from psycopg.postgres import types
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from pyarrow import compute

from etl_contract import DataError

_CHUNK_BYTES = 1 << 20
_CHUNKS_AHEAD = 2
UNBOUNDED = pa.decimal128(38, 10)  # a numeric that does not say its precision
_PLACE = re.compile(r"^In CSV column #(\d+): (?:Row #\d+: )?(?:CSV conversion error to [^:]+: )?")
_ENDLESS = ["infinity", "-infinity"]  # dates and timestamps before and after all others

Parameters = Mapping[str, Any]


def copies(schema: pa.Schema) -> bool:
    """Tell whether COPY brings every column of the schema exactly; its text of arrays is not Arrow's."""
    return len(schema) > 0 and not any(pa.types.is_list(kind) for kind in schema.types)


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
    """Take a numeric's digits from its modifier: https://www.postgresql.org/docs/17/datatype-numeric.html."""
    oid, modifier = result.ftype(index), result.fmod(index)
    precision = scale = None
    if oid == types["numeric"].oid and modifier >= 0:
        precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4 & 0x7FF) ^ 0x400) - 0x400
        # numeric(2,-3) has up to five digits before the point, numeric(3,5) five after it.
        precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
    return Described((result.fname(index) or b"").decode(encoding), oid, precision, scale)


def copied(connection: psycopg.Connection[Any], query: str, schema: pa.Schema, where: str) -> Generator[pa.RecordBatch]:
    """Read a query that was described before, so that it is one statement; its parameters stand in it.

    Raises:
        DataError: a value does not fit the column's type.
    """
    for setting in ("datestyle to 'ISO'", "extra_float_digits to 1", "intervalstyle to 'postgres'"):
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
                self._queue.put(_decoded(chunk, self._schema, self._where))
            self._queue.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the batches are asked for
            self._queue.put(error)

    def _chunks(self) -> Iterator[bytes]:
        """Give whole rows, as PostgreSQL sends each in a message of its own.

        Libpq is asked directly: psycopg's own way of reading costs more for each row than the server's sending it.
        """
        pgconn = self._connection.pgconn
        started = pgconn.exec_(self._statement.encode())
        if started.status != ExecStatus.COPY_OUT:
            raise error_from_result(started, self._connection.info.encoding)
        rows: list[bytes] = []
        size = 0
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
                    rows, size = [], 0
        finally:
            results = self._results(finished=finished)
        for result in results:
            if finished and result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, self._connection.info.encoding)
        if finished and rows:
            yield b"".join(rows)

    def _results(self, *, finished: bool) -> list[PGresult]:
        """Take all that the server has to say, or the connection stays busy; what is not finished is cancelled."""
        pgconn = self._connection.pgconn
        if not finished:
            self._connection.cancel_safe(timeout=10)
            while pgconn.get_copy_data(0)[0] > 0:
                pass
        return list(iter(pgconn.get_result, None))


def _decoded(chunk: bytes, schema: pa.Schema, where: str) -> pa.Table:
    texts = [field.name for field in schema if _by_digits(field.type) or pa.types.is_binary(field.type)]
    try:
        table = _parsed(chunk, schema, texts)
    except pa.ArrowInvalid as error:
        # Endless times are rare, so only a chunk that has one is read again with its times as texts.
        times = [field.name for field in schema if _may_be_endless(field.type)]
        if not times or b"infinity" not in chunk:
            raise _misfit(str(error), schema, where) from error
        texts += times
        try:
            table = _parsed(chunk, schema, texts)
        except pa.ArrowInvalid as other:
            raise _misfit(str(other), schema, where) from other
    for name in texts:
        index = schema.get_field_index(name)
        field = schema.field(index)
        table = table.set_column(index, field, _from_text(table.column(index), field, where))
    return table


def _parsed(chunk: bytes, schema: pa.Schema, texts: Sequence[str]) -> pa.Table:
    return pc.read_csv(
        pa.BufferReader(chunk),
        # One block, so that a row may be as long as it likes.
        read_options=pc.ReadOptions(column_names=schema.names, block_size=len(chunk) + 1, use_threads=True),
        parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pc.ConvertOptions(
            column_types={field.name: pa.string() if field.name in texts else field.type for field in schema},
            # COPY writes a null as nothing, and an empty text as "".
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _by_digits(kind: pa.DataType) -> bool:
    """Tell of decimals whose digits nothing bounds: Arrow's own reading of text loses some in silence, or cannot."""
    return bool(pa.types.is_decimal256(kind) or kind == UNBOUNDED)


def _may_be_endless(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _from_text(texts: pa.ChunkedArray, field: pa.Field, where: str) -> pa.Array:
    """Read what Arrow's CSV reader cannot, or not exactly."""
    try:
        if pa.types.is_binary(field.type):
            return pa.array(
                [None if text is None else bytes.fromhex(text[2:]) for text in texts.to_pylist()], field.type
            )
        if pa.types.is_decimal(field.type):
            return pa.array([None if text is None else Decimal(text) for text in texts.to_pylist()], field.type)
        return _times(texts.combine_chunks(), field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _misfit(f"In CSV column #0: {error}", pa.schema([field]), where) from error


def _times(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Read times of which some are endless: the largest value that the type has, or its negative, as in DuckDB."""
    number = pa.int32() if pa.types.is_date(kind) else pa.int64()
    most = 2 ** (number.bit_width - 1) - 1
    endless = compute.is_in(texts, pa.array(_ENDLESS))
    finite = compute.if_else(endless, None, texts).cast(kind).cast(number)
    signs = compute.if_else(compute.equal(texts, "infinity"), pa.scalar(most, number), pa.scalar(-most, number))
    return compute.if_else(compute.fill_null(endless, False), signs, finite).cast(kind)  # noqa: FBT003 - Arrow's own


def _misfit(message: str, schema: pa.Schema, where: str) -> DataError:
    hint = "Cast the column in a query to a type that holds all its values."
    if (place := _PLACE.match(message)) is None:
        return DataError(f"a value is out of range: {message}", where=where, hint=hint)
    field = schema.field(int(place[1]))
    return DataError(
        f"a value is no {field.type}: {message[place.end() :]}", where=f"{where}, column {field.name}", hint=hint
    )
