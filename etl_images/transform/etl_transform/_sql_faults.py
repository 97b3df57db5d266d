"""Says what DuckDB complains of in the author's terms: the line of the author's file, the value, what to do next."""

import difflib
import re
from collections.abc import Iterable

import duckdb

from etl_contract import DataError, SpecError, StageError, Unavailable
from etl_transform._limits import memory_limit
from etl_transform._place import Place

_LINE = re.compile(r"^LINE (\d+): ", re.MULTILINE)
_KIND = re.compile(r"^[A-Z][\w -]*? Error: ")
_TABLE = re.compile(r"Table with name (\S+) does not exist!")
# DuckDB's advice for where settings can be set.
_SETTING = re.compile(r" Use TRY\(\.\.\.\).*$", re.DOTALL)
_STAND_IT = "Correct the rows, or let the query stand them: try_cast(...), try(...), nullif(...)."
_VALUES = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.ConstraintException,
)


def explained(error: duckdb.Error, place: Place, *, tables: Iterable[str] = (), running: bool = False) -> StageError:
    """Turn an error of DuckDB into one that says what should happen next.

    Args:
        error: what DuckDB raised.
        place: where the statement begins.
        tables: what could be meant by a table that is not there.
        running: whether rows were read by then, so that a value is wrong, and not the query.
    """
    line = _LINE.search(text := str(error))
    problem, _, hint = text[: line.start() if line else None].strip().partition("\n")
    problem = _SETTING.sub("", _KIND.sub("", problem))
    where = place.at(int(line[1]) if line else 1)
    hint = _tables(table[1], list(tables)) if (table := _TABLE.match(problem)) else " ".join(hint.split())
    if "max_temp_directory_size" in text or "No space left on device" in text:
        return Unavailable(
            "the disk is full",
            where=where,
            hint=f"Free some of the volume 'runs'; it is tried again. DuckDB: {problem}",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return _out_of_memory(problem, where)
    if running and isinstance(error, _VALUES):
        return DataError(problem, where=where, hint=hint or _STAND_IT)
    return SpecError(problem, where=where, hint=hint or "Correct the query.")


def _tables(name: str, tables: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), tables, n=1)
    return f"There are: {', '.join(tables) or 'none'}.{f" Did you mean '{close[0]}'?" if close else ''}"


def _out_of_memory(problem: str, where: str) -> SpecError:
    mebibytes = memory_limit() // 1024**2
    hint = "Rows that can wait were on disk already. Give it more: limits: {transform: {memory: ...}}."
    return SpecError(
        f"the query needs more memory than the stage's {mebibytes} MiB ({problem})", where=where, hint=hint
    )
