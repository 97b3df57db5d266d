"""Chooses what reads a source by its kind, and imports it only then."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from etl_contract import DocumentSource, ExtractTask, FilesSource, HttpSource, NothingToDo, Source, declared
from etl_extract._connection import CONNECTIONS
from etl_extract._rows import Rows

if TYPE_CHECKING:
    from etl_extract._sql import SqlReader


class Readers(AbstractContextManager["Readers"]):
    """Reads every source of a task."""

    def __init__(self, task: ExtractTask, connections: Path = CONNECTIONS) -> None:
        self._task, self._folder = task, connections
        self._exit = ExitStack()
        self._sql: SqlReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @contextmanager
    def rows(self, name: str, source: Source, *, anew: bool = False) -> Iterator[Rows]:
        """Give a source's rows; `anew` also those that were loaded before, where a source can tell.

        Raises:
            SpecError, DataError, Unavailable: as the source's reader says.
            NothingToDo: the source has nothing, or nothing new.
        """
        match source:
            case HttpSource():
                from etl_extract._web import WebReader  # noqa: PLC0415 - see above; so below

                with _or_none(WebReader(self._task, self._folder).rows(name, source, anew=anew), source, anew) as rows:
                    yield rows
            case FilesSource():
                from etl_extract._inbox import FilesReader  # noqa: PLC0415

                with _or_none(FilesReader(self._task, self._folder).rows(name, source), source, anew) as rows:
                    yield rows
            case _:
                if self._sql is None:
                    from etl_extract._sql import SqlReader  # noqa: PLC0415

                    self._sql = self._exit.enter_context(SqlReader(self._task, self._folder))
                with self._sql.rows(name, source) as rows:
                    yield rows


@contextmanager
def _or_none(reading: AbstractContextManager[Rows], source: DocumentSource, anew: bool) -> Iterator[Rows]:  # noqa: FBT001
    """Give no rows, of the declared columns, where a source has nothing but is wanted all the same."""
    with ExitStack() as stack:
        try:
            rows = stack.enter_context(reading)
        except NothingToDo:
            if not anew:
                raise
            from etl_extract._formats._convert import arrow_type  # noqa: PLC0415

            fields = [(column, arrow_type(declared(written))) for column, written in source.columns.items()]
            rows = Rows(pa.schema(fields), iter(()))
        yield rows
