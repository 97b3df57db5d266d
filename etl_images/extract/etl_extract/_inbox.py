"""Reads sources of files: those that have not been taken yet, each with the rows that it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import structlog

from etl_contract import DataError, ExtractTask, FilesSource, NothingToDo
from etl_extract._connection import CONNECTIONS
from etl_extract._ledger import Taken, taken_files
from etl_extract._reading import Reading
from etl_extract._rows import Rows
from etl_extract._spool import Spool, too_large
from etl_extract._store import INBOX, Inbox, Listed, Remote, Store, new_files

_EXAMPLES = 5

log = structlog.get_logger()


class FilesReader:
    """Reads sources of files of one run."""

    def __init__(self, task: ExtractTask, connections: Path = CONNECTIONS, inbox: Path = INBOX) -> None:
        self._task, self._folder, self._inbox = task, connections, inbox

    @contextmanager
    def rows(self, name: str, source: FilesSource) -> Iterator[Rows]:
        """Give the rows of the files that no load has taken; in a full refresh of all that are there.

        Raises:
            NothingToDo: there is no new file.
            DataError: a file is not what the source declares, or is wanted again and not there any more.
            SpecError: the store or its keys are wrong.
            Unavailable: the store or the warehouse does not answer, or a file is being written.
        """
        where = f"extract.{name}"
        known = taken_files(self._task.pipeline, name, self._folder)
        with Spool(f"{self._task.run_uri}/extract") as spool:
            store: Store = Remote(source, spool, where, self._folder) if source.remote else Inbox(source, self._inbox)
            try:
                if self._task.full_refresh:
                    _refuse_gone(store, known)
                new = list(new_files(store, name, [] if self._task.full_refresh else known))
                if large := next((file for file, *_ in new if file.bytes > source.most_bytes), None):
                    raise too_large(source.most_bytes, large.uri)
            except DataError as error:
                raise DataError(error.problem, where=f"{where}, {error.where}", hint=error.hint) from error
            if not new:
                raise NothingToDo(f"there is no new file like '{source.files}'", where=where)
            log.info(f"taking {len(new)} files of {name}", files=[file.path for file, *_ in new[:20]])
            reading = Reading(source, where, spool, source.file_column)
            schema, batches = reading.rows([document for _, document, _ in new])
            whole = _checked(batches, store, [file for file, *_ in new])
            yield Rows(schema, whole, files=tuple(remembered for *_, remembered in new))


def _refuse_gone(store: Store, known: list[Taken]) -> None:
    """Refuse to read all anew where files that were loaded are not there: their rows would be lost."""
    gone = sorted({file.uri for file in known} - {file.uri for file in store.listed()})
    if gone:
        names = ", ".join(gone[:_EXAMPLES]) + f" and {len(gone) - _EXAMPLES} more" * (len(gone) > _EXAMPLES)
        hint = "Put them back, or trigger the run without 'full_refresh'."
        problem = f"a full refresh would lose the rows of {len(gone)} files that are not there any more: {names}"
        raise DataError(problem, where="full_refresh", hint=hint)


def _checked(batches: Iterator[pa.RecordBatch], store: Store, files: list[Listed]) -> Iterator[pa.RecordBatch]:
    """Give the rows, and refuse them in the end if a file changed meanwhile."""
    yield from batches
    store.check(files)
