"""Reads NDJSON: a record a line."""

from collections.abc import Iterator
from typing import Any

from etl_extract._document import Document
from etl_extract._faults import Faults
from etl_extract._formats._lines import Lines
from etl_extract._formats._records import RecordsTable
from etl_extract._formats._tree import decoder


class NdjsonTable(RecordsTable):
    """Lines of JSON, in UTF-8; an empty line is none."""

    def _records(self, document: Document, faults: Faults) -> Iterator[tuple[str, Any, int]]:
        for number, line in enumerate(Lines(document, "utf-8"), start=1):
            if not line.strip():
                continue
            try:
                yield f"line {number}", decoder.decode(line), len(line)
            except ValueError as error:
                faults.add(f"this is no JSON: {error}", f"{document.name}, line {number}", "Each line is one record.")
            except RecursionError:
                hint = "Ask for a flatter shape."
                faults.add("it is nested too deeply", f"{document.name}, line {number}", hint)
