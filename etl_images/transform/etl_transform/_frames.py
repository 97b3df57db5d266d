"""Turns datasets into DataFrames and back.

Columns are Arrow-backed, so that a bigint with gaps is no float, a date is a date and a decimal a decimal.
"""

import pandas as pd
import pyarrow as pa

from etl_contract import Dataset, SpecError
from etl_contract.parquet import reading, writing


def read_frame(dataset: Dataset) -> pd.DataFrame:
    """Read a dataset whole; its columns keep their Arrow types."""
    with reading(dataset) as parquet:
        frame: pd.DataFrame = parquet.read().to_pandas(
            types_mapper=pd.ArrowDtype, self_destruct=True, split_blocks=True
        )
        return frame


def write_frame(folder_uri: str, name: str, frame: pd.DataFrame) -> Dataset:
    """Write a DataFrame as the dataset of that name.

    Raises:
        SpecError: a column has no Arrow type, two have one name, or an index would be lost.
    """
    where = f"transform, dataset {name}"
    if any(level is not None for level in frame.index.names):
        index = ", ".join(map(str, frame.index.names))
        raise SpecError(f"the index '{index}' would be lost", where=where, hint="Call reset_index() before returning.")
    columns = [str(column) for column in frame.columns]
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise SpecError(f"two columns are named {', '.join(twice)}", where=where, hint="Rename one.")
    frame.columns = pd.Index(columns)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        hint = "Give the column one type, such as with astype()."
        raise SpecError("; ".join(map(str, error.args)), where=where, hint=hint) from error
    with writing(folder_uri, name, table.schema) as writer:
        writer.write(table)
        return writer.finish()
