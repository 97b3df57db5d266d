"""Turns datasets into DataFrames and back.

Columns are Arrow-backed, so that a bigint with gaps is no float, a date is a date and a decimal a decimal.
"""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from etl_contract import Dataset, Name, SpecError
from etl_contract.parquet import BATCH_ROWS, reading, writing

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def read_frame(dataset: Dataset) -> pd.DataFrame:
    """Read a dataset whole."""
    with reading(dataset) as parquet:
        return frame_of(parquet.read())


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Make a table a DataFrame; its columns keep their Arrow types, and share its memory."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, self_destruct=True, split_blocks=True)
    return frame


def write_frame(folder_uri: str, name: str, frame: pd.DataFrame) -> Dataset:
    """Write a DataFrame as the dataset of that name."""
    table = table_of(name, frame)
    with writing(folder_uri, name, table.schema) as writer:
        for rows in rows_of(table):
            writer.write(rows)
        return writer.finish()


def table_of(name: str, frame: pd.DataFrame) -> pa.Table:
    """Make a DataFrame a table.

    Raises:
        SpecError: no dataset has such a name, a column has no Arrow type, two have one name, or an index would be lost.
    """
    where = f"transform, dataset {name}"
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        hint = "Return it under another name."
        raise SpecError(str(error.errors()[0]["ctx"]["error"]), where=where, hint=hint) from None
    if any(level is not None for level in frame.index.names):
        index = ", ".join(map(str, frame.index.names))
        raise SpecError(f"the index '{index}' would be lost", where=where, hint="Call reset_index() before returning.")
    columns = [str(column) for column in frame.columns]
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise SpecError(f"two columns are named {', '.join(twice)}", where=where, hint="Rename one.")
    frame = frame.set_axis(columns, axis="columns")
    try:
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        hint = "Give the column one type, such as with astype()."
        raise SpecError("; ".join(map(str, error.args)), where=where, hint=hint) from error


def rows_of(table: pa.Table) -> Iterator[pa.Table]:
    """Give a table in parts: each becomes a row group, which is what the next stage holds at once."""
    for start in range(0, table.num_rows, BATCH_ROWS):
        yield table.slice(start, BATCH_ROWS)
