"""Says what differs from one kind of database to the next."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etl_contract import StageError
from etl_extract._database import Statement

type Plain = Callable[[Any], Any]
type First = Callable[[], Sequence[Any]]
type Columns = Sequence[tuple[pa.DataType, Plain]]


class Kind(NamedTuple):
    """A kind of database.

    Args:
        url: gives the address with the driver's name and what it needs, from the one that stands in the connection.
        begin: statements that open a read-only snapshot.
        told: asks what the result alone does not tell of a statement's columns; gives the statement to run, and that.
        columns: gives each column's Arrow type, and what makes of a driver's value one that Arrow takes, from the
            running result, what was told, and the first rows, which are fetched when asked for.
        fault: says which error of ours a driver's is, and in which words.
    """

    url: Callable[[sa.URL, str, str], sa.URL]
    begin: tuple[str, ...]
    told: Callable[[sa.Connection, Statement], tuple[Statement, Any]]
    columns: Callable[[sa.CursorResult[Any], Any, First], Columns]
    fault: Callable[[exc.DBAPIError], tuple[type[StageError], str]]


def same(value: Any) -> Any:  # noqa: ANN401 - any value
    """Give a value as it is."""
    return value


def nothing(_connection: sa.Connection, statement: Statement) -> tuple[Statement, None]:
    """Ask nothing."""
    return statement, None
