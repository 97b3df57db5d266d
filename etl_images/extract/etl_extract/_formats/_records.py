"""Makes a table of JSON records: a column for each name that any of them has."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from etl_contract import DataError, DocumentSource
from etl_extract._document import Document
from etl_extract._faults import Faults, shown
from etl_extract._formats._table import MOST_CELLS, MOST_CHARACTERS, Block, Table
from etl_extract._formats._tree import text_of

MOST_COLUMNS = 10_000


class RecordsTable(Table):
    """Records of any shape: a name that a record lacks is no value there."""

    def __init__(self, source: DocumentSource) -> None:
        self._source = source

    @abstractmethod
    def _records(self, document: Document, faults: Faults) -> Iterator[tuple[str, Any, int]]:
        """Give each record with its place, and how many characters it has; what cannot be read is a fault."""

    def names(self, document: Document) -> list[str]:
        """Name the columns of all records, as they first come, and the declared ones."""
        names: dict[str, None] = {}
        for place, record, _ in self._records(document, Faults("")):
            if isinstance(record, dict) and not record.keys() <= names.keys():
                names |= dict.fromkeys(record)
                if len(names) > MOST_COLUMNS:
                    hint = f"At most {MOST_COLUMNS:,} can be: are names values here?"
                    raise DataError(f"more than {MOST_COLUMNS:,} columns", where=f"{document.name}, {place}", hint=hint)
        if strange := [name for name in names if not name.strip() or "\0" in name]:
            hint = "Correct it where it comes from."
            raise DataError(f"a column cannot be named {shown(strange[0])}", where=document.name, hint=hint)
        return list(names | dict.fromkeys(self._source.columns))

    def merged(self, first: list[str], names: list[str], document: Document) -> list[str]:
        """Give the columns of both."""
        del document
        return list(dict.fromkeys([*first, *names]))

    def blocks(self, document: Document, names: Sequence[str], faults: Faults) -> Iterator[Block]:
        """Give the records; one that is no object is a fault."""
        most = max(1, MOST_CELLS // max(1, len(names)))
        records: list[dict[str, Any]] = []
        places: list[str] = []
        given = 0
        for place, record, characters in self._records(document, faults):
            if not isinstance(record, dict):
                problem = f"{shown(text_of(record) or 'null')} is no object"
                faults.add(problem, f"{document.name}, {place}", "A record is written like {\"id\": 1}; see 'records'.")
                continue
            records.append(record)
            places.append(place)
            given += characters
            if len(records) >= most or given >= MOST_CHARACTERS:
                yield _block(records, places, names)
                records, places, given = [], [], 0
        if records:
            yield _block(records, places, names)


def _block(records: list[dict[str, Any]], places: list[str], names: Sequence[str]) -> Block:
    columns = [[text_of(record.get(name)) for record in records] for name in names]
    return Block(columns, len(records), places.__getitem__)
