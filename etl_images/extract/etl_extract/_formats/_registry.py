"""Lists the formats, and imports what reads one only when it is asked for."""

from etl_contract import DocumentSource, Format
from etl_extract._faults import Faults
from etl_extract._formats._table import FormatReader, TableReader
from etl_extract._spool import Spool


def reader(source: DocumentSource, faults: Faults, spool: Spool) -> FormatReader:
    """Make what reads the documents of a source."""
    match source.form:
        case Format.csv:
            from etl_extract._formats._csv import CsvTable  # noqa: PLC0415 - see above; so below

            return TableReader(CsvTable(source), source, faults)
        case Format.json:
            from etl_extract._formats._json import JsonTable  # noqa: PLC0415

            return TableReader(JsonTable(source), source, faults)
        case Format.ndjson:
            from etl_extract._formats._ndjson import NdjsonTable  # noqa: PLC0415

            return TableReader(NdjsonTable(source), source, faults)
        case Format.xlsx:
            from etl_extract._formats._xlsx import XlsxTable  # noqa: PLC0415

            return TableReader(XlsxTable(source, spool), source, faults)
        case Format.parquet:
            from etl_extract._formats._parquet import ParquetReader  # noqa: PLC0415

            return ParquetReader(source, faults, spool)
